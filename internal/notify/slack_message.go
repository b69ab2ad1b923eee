package notify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// slackBody is the message of an incoming webhook: blocks as Slack's Block Kit
// reference defines them, and a plain text for push notifications and for
// services that know no blocks.
type slackBody struct {
	Text   string       `json:"text"`
	Blocks []slackBlock `json:"blocks"`
}

type slackBlock struct {
	Type   string      `json:"type"`
	Text   *slackText  `json:"text,omitempty"`
	Fields []slackText `json:"fields,omitempty"`
}

type slackText struct {
	Type string `json:"type"`
	Text string `json:"text"`
	// Verbatim keeps Slack from finding links and names in the text.
	Verbatim bool `json:"verbatim,omitempty"`
}

func markdown(text string) slackText {
	return slackText{Type: "mrkdwn", Text: text, Verbatim: true}
}

// slackMessage is the body of the request.
func slackMessage(v view) ([]byte, error) {
	facts := v.Facts()
	fields := make([]slackText, len(facts))
	for i, f := range facts {
		fields[i] = markdown("*" + f.Label + "*\n" + slackEscape(f.Value))
	}
	next := v.Next() + "\n```" + slackEscape(v.Resend) + "```"
	if v.WorkflowURL != "" {
		next += "\n<" + slackLink(v.WorkflowURL) + "|Every attempt, in the Temporal Web UI>"
	}
	action := markdown(next)
	message := slackBody{
		Text: slackEscape(v.Title()),
		Blocks: []slackBlock{
			{Type: "header", Text: &slackText{Type: "plain_text", Text: "Webhook delivery failed"}},
			{Type: "section", Fields: fields},
			{Type: "section", Text: &action},
		},
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // slackEscape has dealt with < > & already
	if err := encoder.Encode(message); err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return bytes.TrimSpace(body.Bytes()), nil
}

// slackEscape makes foreign text harmless: the three characters that Slack's
// markup is made of become entities, backticks cannot end a code span, and an
// @ is parted from what follows, because Mattermost reads @channel in any text.
func slackEscape(text string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;", "`", "'", "@", "@\u200b").Replace(text)
}

// slackLink fits a URL into <url|text>.
func slackLink(url string) string {
	return strings.NewReplacer("&", "&amp;", "<", "%3C", ">", "%3E", "|", "%7C").Replace(url)
}
