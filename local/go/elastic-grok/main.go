// Runs one grok pattern over lines, with Elastic's own implementation: {"pattern": …, "lines": […]} on standard input, and on
// standard output for each line its fields, or null where the pattern does not fit.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"github.com/elastic/go-grok"
)

type question struct {
	Pattern string   `json:"pattern"`
	Lines   []string `json:"lines"`
}

func answer() error {
	var asked question
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		return err
	}
	parser, err := grok.NewComplete()
	if err != nil {
		return err
	}
	if err := parser.Compile(asked.Pattern, true); err != nil {
		return err
	}
	found := make([]map[string]string, len(asked.Lines))
	for i, line := range asked.Lines {
		fields, err := parser.ParseString(line)
		if err != nil && !errors.Is(err, grok.ErrParseFailure) {
			return err
		}
		if len(fields) > 0 {
			found[i] = fields
		}
	}
	return json.NewEncoder(os.Stdout).Encode(found)
}

func main() {
	if err := answer(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
