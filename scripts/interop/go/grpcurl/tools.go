//go:build tools

// Package tools keeps grpcurl in go.mod: `go build github.com/fullstorydev/grpcurl/cmd/grpcurl` makes its program.
package tools

import _ "github.com/fullstorydev/grpcurl"
