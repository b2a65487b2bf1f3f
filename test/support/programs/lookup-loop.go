// Looks up each name that comes on a line of standard input with Go's own resolver, one after another in one process;
// prints what lookup-loop.c prints.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	resolver := &net.Resolver{PreferGo: true}
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		name := lines.Text()
		start := time.Now()
		addresses, err := resolver.LookupHost(context.Background(), name)
		fmt.Println(name, time.Since(start).Microseconds(), verdict(addresses, err))
	}
}

func verdict(addresses []string, err error) string {
	var problem *net.DNSError
	switch {
	case err == nil:
		return "ok " + strings.Join(addresses, " ")
	case errors.As(err, &problem) && problem.IsNotFound:
		return "none"
	default:
		return "fail " + strings.ReplaceAll(err.Error(), "\n", " ")
	}
}
