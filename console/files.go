package console

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/postrider/postrider/console/view"
)

//go:embed static/*.js static/*.css static/*.svg
var static embed.FS

// files serves scripts and styles under names that have their hash in them, so that browsers keep them for good.
type files struct {
	byName map[string]file
}

type file struct {
	contentType   string
	plain, zipped []byte
}

var contentTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
}

// theFiles are read once, however many consoles there are: pages know one set of names.
var theFiles = sync.OnceValue(newFiles)

// newFiles reads the embedded files, and tells the pages what they are called.
func newFiles() *files {
	f := &files{byName: map[string]file{}}
	names := map[string]string{}
	entries, err := fs.ReadDir(static, "static")
	if err != nil {
		panic(err) // it is embedded
	}
	for _, entry := range entries {
		plain, err := static.ReadFile("static/" + entry.Name())
		if err != nil {
			panic(err)
		}
		ending := path.Ext(entry.Name())
		sum := sha256.Sum256(plain)
		hashed := strings.TrimSuffix(entry.Name(), ending) + "." + hex.EncodeToString(sum[:6]) + ending
		f.byName[hashed] = file{contentType: contentTypes[ending], plain: plain, zipped: zipped(plain)}
		names[entry.Name()] = Base + "/static/" + hashed
	}
	view.Files(names)
	return f
}

func zipped(plain []byte) []byte {
	var buffer bytes.Buffer
	zip, _ := gzip.NewWriterLevel(&buffer, gzip.BestCompression) // the level is a valid one
	_, _ = zip.Write(plain)
	_ = zip.Close() // a buffer cannot fail
	return buffer.Bytes()
}

// ServeHTTP serves a file by its hashed name.
func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	of, ok := f.byName[r.PathValue("name")]
	if !ok {
		http.NotFound(w, r)
		return
	}
	header := w.Header()
	header.Set("Content-Type", of.contentType)
	header.Set("Cache-Control", "public, max-age=31536000, immutable")
	content := of.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		header.Set("Content-Encoding", "gzip")
		content = of.zipped
	}
	_, _ = w.Write(content)
}
