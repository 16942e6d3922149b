//go:build tools

// Package peers pins what `npm run peers:prometheus` builds.
package peers

import _ "github.com/prometheus/prometheus/cmd/prometheus"
