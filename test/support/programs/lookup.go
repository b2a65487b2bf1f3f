// Looks up each argument with Go's own resolver; prints "NAME ADDRESS..." or "NAME error REASON" per line.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
)

func main() {
	resolver := &net.Resolver{PreferGo: true}
	for _, name := range os.Args[1:] {
		addresses, err := resolver.LookupHost(context.Background(), name)
		if err != nil {
			fmt.Println(name, "error", strings.ReplaceAll(err.Error(), "\n", " "))
			continue
		}
		fmt.Println(name, strings.Join(addresses, " "))
	}
}
