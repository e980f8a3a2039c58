package pulumi

import (
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/message"
	"carillon/internal/subscription"
)

// Verification is the platform's ping: a test request that somebody asks for. Saving a webhook sends none (§3.6). With the
// format pulumi_deployments there is nobody to test: starting a deployment is no test (§3.5).
func (*Dialect) Verification(s *subscription.Subscription, site dialect.Site, at time.Time) (*delivery.Message, error) {
	var body []byte
	var err error
	switch s.Channel {
	case subscription.ChannelSlack:
		body, err = encode(slackMessage{Text: ":wave: " + slackEscape(testText(s))})
	case subscription.ChannelTeams:
		body, err = encode(newTeams(cardBlock(message.CardText(testText(s)), "Default")))
	default:
		body, err = encode(object{
			{"timestamp", at.Unix()}, {"message", "🍹 Just a friendly ping from Pulumi 🍹"},
		})
	}
	if err != nil {
		return nil, err
	}
	return request(s.Channel, site, kindPing, body), nil
}

// testText names the webhook that is tested.
func testText(s *subscription.Subscription) string {
	text := `Test message for the webhook "` + message.Line(s.Name) + `"`
	if organization := settingsOf(s).Organization; organization != "" {
		text += " of " + organization
	}
	return text + "."
}
