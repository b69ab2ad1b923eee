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
	message := slackBody{
		Text: slackEscape(v.Title()),
		Blocks: []slackBlock{
			{Type: "header", Text: &slackText{Type: "plain_text", Text: v.Heading}},
			{Type: "section", Fields: slackFields(v.Facts)},
		},
	}
	for _, text := range slackParagraphs(v) {
		paragraph := markdown(text)
		message.Blocks = append(message.Blocks, slackBlock{Type: "section", Text: &paragraph})
	}
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false) // slackEscape has dealt with < > & already
	if err := encoder.Encode(message); err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	return bytes.TrimSpace(body.Bytes()), nil
}

func slackFields(facts []fact) []slackText {
	fields := make([]slackText, len(facts))
	for i, f := range facts {
		fields[i] = markdown("*" + f.Label + "*\n" + slackEscape(f.Value))
	}
	return fields
}

// slackParagraphs are what follows the facts. Each gets a block of its own,
// because Slack bounds the length of a block's text.
func slackParagraphs(v view) []string {
	var paragraphs []string
	if v.Outlook != "" {
		paragraphs = append(paragraphs, slackEscape(v.Outlook))
	}
	for _, s := range v.Steps {
		paragraphs = append(paragraphs, slackEscape(s.Text)+"\n```"+slackEscape(s.Command)+"```")
	}
	if v.WorkflowURL != "" {
		paragraphs[len(paragraphs)-1] += "\n<" + slackLink(v.WorkflowURL) + "|Every attempt, in the Temporal Web UI>"
	}
	return paragraphs
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
