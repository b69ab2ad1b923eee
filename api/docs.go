package api

import (
	"github.com/gin-gonic/gin"
	"github.com/swaggest/swgui"
	"github.com/swaggest/swgui/v5emb"
)

// registerDocs serves a page that documents the API and can call it. Everything it needs is in the program.
func registerDocs(router *gin.Engine) {
	page := v5emb.NewHandlerWithConfig(swgui.Config{
		Title:       "Postrider API",
		SwaggerJSON: "/openapi.json",
		BasePath:    "/docs",
		SettingsUI:  map[string]string{"persistAuthorization": "false", "tryItOutEnabled": "true"},
	})
	router.GET("/docs", gin.WrapH(page))
	router.GET("/docs/*file", gin.WrapH(page))
}
