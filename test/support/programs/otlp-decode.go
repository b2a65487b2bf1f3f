// Reads one request of OTLP/HTTP in JSON and writes what the OpenTelemetry collector has of it: decoded, through protobuf and back.
package main

import (
	"io"
	"log"
	"os"

	"go.opentelemetry.io/collector/pdata/ptrace"
)

func main() {
	body, err := io.ReadAll(os.Stdin)
	check(err)
	traces, err := (&ptrace.JSONUnmarshaler{}).UnmarshalTraces(body)
	check(err)
	wire, err := (&ptrace.ProtoMarshaler{}).MarshalTraces(traces)
	check(err)
	again, err := (&ptrace.ProtoUnmarshaler{}).UnmarshalTraces(wire)
	check(err)
	text, err := (&ptrace.JSONMarshaler{}).MarshalTraces(again)
	check(err)
	_, err = os.Stdout.Write(text)
	check(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
