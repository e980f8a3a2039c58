package tfe

import (
	"time"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/message"
	"carillon/internal/subscription"
)

// Verification is the test request that the platform sends when a configuration is saved enabled, or on demand (§3.2). An
// e-mail configuration is not verified; see testMail.
func (*Dialect) Verification(s *subscription.Subscription, site dialect.Site, _ time.Time) (*delivery.Message, error) {
	var body []byte
	var err error
	switch s.Channel {
	case subscription.ChannelEmail:
		return nil, nil
	case subscription.ChannelSlack:
		body, err = message.JSON(message.Slack{Text: message.SlackText(verificationText(s))})
	case subscription.ChannelTeams:
		title := message.Line(site.Product + ": " + verificationText(s))
		body, err = message.JSON(message.NewTeams([]message.CardItem{message.CardTitle(message.CardText(title))}))
	default:
		body, err = encode(runPayload{
			PayloadVersion:  1,
			ConfigurationID: configurationID(s),
			Notifications:   []runNotification{{Message: verificationText(s), Trigger: triggerVerification}},
		})
	}
	if err != nil {
		return nil, err
	}
	msg := request(s.Channel, site, body)
	msg.Trigger = triggerVerification
	return msg, nil
}

func verificationText(s *subscription.Subscription) string { return "Verification of " + s.Name }

// testMail is what the verify action sends for an e-mail configuration (§5.4).
func testMail(s *subscription.Subscription, site dialect.Site, recipients []string) *delivery.Message {
	var letter message.Letter
	letter.Say(message.Plain("Hello,"))
	letter.Say(message.Plain("This is a test message for the notification configuration " + s.Name + ". No action is needed."))
	letter.Say(message.Plain(site.Product))
	msg := newMail(&letter, verificationText(s), recipients)
	msg.Trigger = triggerVerification
	return msg
}
