package webhook_test

import (
	"errors"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"carillon/webhook"
)

// A receiver for one platform: the handler verifies, and the function gets what is genuine.
func ExampleHandler() {
	receiver := httptest.NewServer(webhook.Handler(webhook.Options{
		Dialect: webhook.TFE,
		Secrets: []string{"s3cret"},
	}, func(_ *http.Request, m webhook.Message) error {
		if m.Test {
			return nil // the platform only tries the address
		}
		for _, n := range m.Payload.(*webhook.TFEPayload).Run.Notifications {
			fmt.Println(n.Message, "-", n.RunStatus)
		}
		return nil
	}))
	defer receiver.Close()

	body, err := os.ReadFile("testdata/tfe/payloads/generic/seen/run_completed.json")
	if err != nil {
		log.Fatal(err)
	}
	for _, secret := range []string{"s3cret", "guessed"} {
		request, err := http.NewRequest("POST", receiver.URL, strings.NewReader(string(body)))
		if err != nil {
			log.Fatal(err)
		}
		if err := webhook.Sign(webhook.TFE, request.Header, body, secret, time.Now()); err != nil {
			log.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			log.Fatal(err)
		}
		answer, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		fmt.Println(response.Status)
		fmt.Print(string(answer))
	}
	// Output:
	// Run Planned and Finished - planned_and_finished
	// 200 OK
	// 401 Unauthorized
	// webhook: the signature does not match: header X-TFE-Notification-Signature was made with another secret or over other bytes
}

// One address for every platform: the payload's type tells which one it was.
func ExampleHandler_everyDialect() {
	handler := webhook.Handler(webhook.Options{Secrets: []string{"s3cret"}}, func(_ *http.Request, m webhook.Message) error {
		switch p := m.Payload.(type) {
		case *webhook.TFEPayload:
			fmt.Println("Terraform:", p.Trigger())
		case *webhook.ScalrPayload:
			fmt.Println("Scalr:", p.Event, p.Run.ID)
		case *webhook.SpaceliftPayload:
			if p.Run != nil {
				fmt.Println("Spacelift:", p.Run.State, p.Run.Stack.ID)
			}
		case *webhook.PulumiPayload:
			fmt.Println("Pulumi:", p.Kind, p.StackName, p.Result)
		}
		return nil
	})
	for _, sample := range []struct {
		dialect webhook.Dialect
		file    string
	}{
		{webhook.TFE, "tfe/payloads/generic/doc/assessment_drifted.json"},
		{webhook.Scalr, "scalr/gen2-completed.json"},
		{webhook.Spacelift, "spacelift/payloads/run-tracked-finished.json"},
		{webhook.Pulumi, "pulumi/payloads/stack_update.json"},
	} {
		body, err := os.ReadFile("testdata/" + sample.file)
		if err != nil {
			log.Fatal(err)
		}
		request := httptest.NewRequest("POST", "/hooks", strings.NewReader(string(body)))
		if err := webhook.Sign(sample.dialect, request.Header, body, "s3cret", time.Now()); err != nil {
			log.Fatal(err)
		}
		handler.ServeHTTP(httptest.NewRecorder(), request)
	}
	// Output:
	// Terraform: assessment:drifted
	// Scalr: run:completed run-v0ofgk1l7m2ck3p
	// Spacelift: FINISHED ai-agent
	// Pulumi: stack_update website-prod succeeded
}

// Verify a request that something else has read. While a secret is being changed, give both.
func ExampleVerify() {
	header := http.Header{}
	header.Set("Pulumi-Webhook-Signature", "fb8cc71e3f86327ca628948f450b10926dc1f449cb7b299b10d5c75813be0b1d")
	body, err := os.ReadFile("testdata/pulumi/payloads/ping.json")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(webhook.Verify(webhook.Pulumi, header, body, "the new one", "s3cret"))
	fmt.Println(webhook.Verify(webhook.Pulumi, header, append(body, ' '), "the new one", "s3cret"))
	// Output:
	// <nil>
	// webhook: the signature does not match: header Pulumi-Webhook-Signature was made with another secret or over other bytes
}

// Requests that were recorded and are sent again later are refused when the headers of Standard Webhooks are required.
func ExampleOptions_requireStandard() {
	body := []byte(`{"action":"stack.create"}`)
	header := http.Header{}
	header.Set("webhook-id", "dlv-1")
	sent := time.Now().Add(-time.Hour)
	for _, dialect := range []webhook.Dialect{webhook.Spacelift, webhook.Standard} {
		if err := webhook.Sign(dialect, header, body, "s3cret", sent); err != nil {
			log.Fatal(err)
		}
	}
	o := webhook.Options{Dialect: webhook.Spacelift, Secrets: []string{"s3cret"}, RequireStandard: true}
	fmt.Println(errors.Is(o.Verify(header, body), webhook.ErrStale))
	// Output: true
}

func ExampleDetect() {
	body, err := os.ReadFile("testdata/spacelift/payloads/internal-error.json")
	if err != nil {
		log.Fatal(err)
	}
	dialect, ok := webhook.Detect(nil, body)
	fmt.Println(dialect, ok)
	// Output: spacelift true
}

func ExampleParseScalr() {
	body, err := os.ReadFile("testdata/scalr/gen1-needs_attention.json")
	if err != nil {
		log.Fatal(err)
	}
	p, err := webhook.ParseScalr(body)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(p.Event, "in", p.Workspace.Name, "at", p.Run.UpdatedAt.Format(time.DateTime))
	// Output: run:needs_attention in my-example at 2020-11-25 00:43:38
}
