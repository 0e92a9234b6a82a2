//go:build tools

// Package tools keeps cql-proxy in go.mod: `go build github.com/datastax/cql-proxy` makes its program.
package tools

import _ "github.com/datastax/cql-proxy/proxy"
