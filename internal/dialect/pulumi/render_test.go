package pulumi

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os/exec"
	"reflect"
	"slices"
	"strings"
	"testing"

	"carillon/internal/delivery"
	"carillon/internal/dialect"
	"carillon/internal/event"
	"carillon/internal/subscription"
)

type renderVector struct {
	Name      string   `json:"name"`
	Given     given    `json:"given"`
	Console   string   `json:"console"`
	Kind      string   `json:"kind"`
	Filters   []string `json:"filters"`
	Body      string   `json:"body"`
	Signature string   `json:"signature_with_secret_s3cret"`
}

// renderKind renders the event's notice of a kind.
func renderKind(t testing.TB, e *event.Event, kind string, s *subscription.Subscription) *delivery.Message {
	t.Helper()
	for i, n := range New().Notices(e) {
		if n.Name != kind {
			continue
		}
		msg, err := New().Render(dialect.Input{
			Event: e, Notice: n, Subscription: s, Delivery: &delivery.Delivery{ID: 5 << 13, Notice: i}, Site: sampleSite,
		})
		if err != nil {
			t.Fatal(err)
		}
		return msg
	}
	t.Fatalf("the event does not say %s", kind)
	return nil
}

func TestRenderVectors(t *testing.T) {
	t.Parallel()
	vectors := fileAs[[]renderVector](t, "render-vectors.json")
	if len(vectors) != 23 {
		t.Fatalf("there are %d vectors", len(vectors))
	}
	var rendered [][]byte
	for _, v := range vectors {
		e := v.Given.neutral(t)
		site := sampleSite
		site.BaseURL = v.Console
		msg := renderKind(t, e, v.Kind, hook(subscription.ChannelWebhook))
		if string(msg.Body) != v.Body {
			t.Errorf("%s:\ngot  %s\nwant %s", v.Name, msg.Body, v.Body)
		}
		if got := msg.Get(headerKind); got != v.Kind {
			t.Errorf("%s: kind %s", v.Name, got)
		}
		if got := hex.EncodeToString(signature("s3cret", msg.Body)); got != v.Signature {
			t.Errorf("%s: signature %s", v.Name, got)
		}
		var filters []string
		for _, a := range announce(e) {
			if a.kind == v.Kind {
				filters = a.filters
			}
		}
		if !slices.Equal(filters, v.Filters) {
			t.Errorf("%s: filters %v, want %v", v.Name, filters, v.Filters)
		}
		for _, channel := range []subscription.Channel{subscription.ChannelSlack, subscription.ChannelTeams} {
			rendered = append(rendered, renderKind(t, e, v.Kind, hook(channel)).Body)
		}
		rendered = append(rendered, msg.Body)
	}
	checkWithNode(t, rendered)
}

// checkWithNode holds every body against what JavaScript writes after reading it (§2.2).
func checkWithNode(t *testing.T, bodies [][]byte) {
	t.Helper()
	const script = `
		const chunks = []; process.stdin.on('data', c => chunks.push(c)); process.stdin.on('end', () => {
			const bodies = JSON.parse(Buffer.concat(chunks).toString('utf8'));
			const bad = bodies.filter(b => JSON.stringify(JSON.parse(b)) !== b);
			process.stdout.write(bodies.length + ' checked\n' + bad.join('\n'));
		});`
	texts := make([]string, len(bodies))
	for i, body := range bodies {
		texts[i] = string(body)
	}
	input, err := json.Marshal(texts)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("node", "-e", script)
	cmd.Stdin = bytes.NewReader(input)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("node (Debian: apt-get install nodejs): %v\n%s", err, out)
	}
	if checked, bad, _ := strings.Cut(string(out), " checked\n"); bad != "" || checked == "0" {
		t.Errorf("%s bodies, and JavaScript writes otherwise:\n%s", checked, bad)
	}
}

// TestBodyOfHostileTexts renders everything that Go and JavaScript could write differently.
func TestBodyOfHostileTexts(t *testing.T) {
	t.Parallel()
	var bodies [][]byte
	for _, text := range []string{
		"\u2028\u2029", `\u2028 is spelled`, `\\u2028`, `\`, "\\\u2028", "🍹 & < > ' \" / \x00\x01\b\f\n\r\t\x1f\x7f\u0080", "bad \xff\xfe utf-8", "\xed\xa0\x80",
		"\ufffd \\ufffd \uffff \U0010ffff", "é\u0301世界", "",
	} {
		e := sample(event.KindRun)
		e.Actor = &event.Actor{Name: text, FullName: text}
		e.Run = &event.Run{
			SourceID: "r-1", Status: event.StatusApplied, Operation: event.OperationApply,
			Changes: &event.Changes{Operations: map[string]int64{text: 1, "10": 2, "9": 3, "01": 4, "4294967294": 5, "4294967295": 6, "create": 7, "\u2028": 8}},
		}
		for _, channel := range []subscription.Channel{subscription.ChannelWebhook, subscription.ChannelSlack, subscription.ChannelTeams} {
			bodies = append(bodies, renderKind(t, e, kindUpdate, hook(channel)).Body)
		}
	}
	checkWithNode(t, bodies)
}

func TestChatSamples(t *testing.T) {
	t.Parallel()
	update := given{Event: "run completed", Word: "apply", Changes: map[string]int64{"update": 3, "delete": 1, "same": 9}}.neutral(t)
	failed := given{Event: "run canceled", Word: "apply", Service: true, Number: 127, Phase: event.PhaseApply}.neutral(t)
	escapes := given{Event: "run completed", Word: "apply", BodyFile: "payloads/stack_update.escapes.json"}.neutral(t)
	for name, tc := range map[string]struct {
		event   *event.Event
		kind    string
		channel subscription.Channel
	}{
		"slack.stack_update.ours":      {update, kindUpdate, subscription.ChannelSlack},
		"slack.deployment_failed.ours": {failed, kindDeployment, subscription.ChannelSlack},
		"slack.escapes.ours":           {escapes, kindUpdate, subscription.ChannelSlack},
		"teams.stack_update.ours":      {update, kindUpdate, subscription.ChannelTeams},
		"teams.deployment_failed.ours": {failed, kindDeployment, subscription.ChannelTeams},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, want := renderKind(t, tc.event, tc.kind, hook(tc.channel)).Body, file(t, "payloads/"+name+".json")
			if !bytes.Equal(got, want) {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
}

func TestPing(t *testing.T) {
	t.Parallel()
	for name, channel := range map[string]subscription.Channel{
		"slack.ping.ours": subscription.ChannelSlack, "teams.ping.ours": subscription.ChannelTeams,
	} {
		msg, err := New().Verification(hook(channel), sampleSite, sampleMoment)
		if err != nil {
			t.Fatal(err)
		}
		if want := file(t, "payloads/"+name+".json"); !bytes.Equal(msg.Body, want) || msg.Get(headerKind) != "ping" {
			t.Errorf("%s: %s", msg.Get(headerKind), msg.Body)
		}
	}
	raw := fileAs[struct{ Timestamp int64 }](t, "payloads/ping.json")
	msg, err := New().Verification(hook(subscription.ChannelWebhook), sampleSite, unixTime(raw.Timestamp))
	if err != nil {
		t.Fatal(err)
	}
	if want := file(t, "payloads/ping.json"); !bytes.Equal(msg.Body, want) {
		t.Errorf("got  %s\nwant %s", msg.Body, want)
	}
	checkWithNode(t, [][]byte{msg.Body})
}

// TestEveryPayloadIsWrittenAsItWasRead reads each sample and writes it again: same members, same order, same bytes. The
// platform's samples have their counts in an order of their own.
func TestEveryPayloadIsWrittenAsItWasRead(t *testing.T) {
	t.Parallel()
	for kind := range keys {
		for _, name := range []string{kind + ".json", kind + ".ours.json"} {
			if !exists("payloads/" + name) {
				continue
			}
			want := file(t, "payloads/"+name)
			c, ok := readContent(kind, want)
			got, err := c.body()
			if !ok || err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(membersOf(t, got), membersOf(t, want)) {
				t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
			}
			if !bytes.Contains(want, []byte("resourceChanges")) && !bytes.Equal(got, want) {
				t.Errorf("%s:\ngot  %s\nwant %s", name, got, want)
			}
		}
	}
}

// TestWhatCameFromThePlatformLeavesUnchanged checks that a raw webhook passes on the platform's own bytes and kind, and
// the other formats what they can tell of it.
func TestWhatCameFromThePlatformLeavesUnchanged(t *testing.T) {
	t.Parallel()
	for kind, name := range map[string]string{
		kindUpdate: "stack_update.captured", kindPreview: "stack_preview", kindDeployment: "deployment", kindDrift: "drift_detection",
		kindRemediation: "drift_remediation", kindStack: "stack", kindRevision: "environment_revision", "something_new": "stack_update",
	} {
		body := file(t, "payloads/"+name+".json")
		e := sample(event.KindOther)
		e.Native = &event.Native{Dialect: Name, Kind: kind, Body: body}
		msg := renderKind(t, e, kind, hook(subscription.ChannelWebhook))
		if !bytes.Equal(msg.Body, body) || msg.Get(headerKind) != kind {
			t.Errorf("%s: %s %s", name, msg.Get(headerKind), msg.Body)
		}
		if got := renderKind(t, e, kind, hook(subscription.ChannelSlack)); !bytes.Contains(got.Body, []byte("/website")) && !bytes.Contains(got.Body, []byte("review-stacks")) {
			t.Errorf("%s: %s", name, got.Body)
		}
	}
}
