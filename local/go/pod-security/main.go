// Kubernetes' own verdict on pods: which checks of its Pod Security Standards each of them breaks. It reads one pod a line,
// {"minor": 37, "pod": {…}}, and writes the ids of the checks, a JSON list a line.
package main

import (
	"bufio"
	"encoding/json"
	"log"
	"os"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

type question struct {
	Minor int        `json:"minor"`
	Pod   corev1.Pod `json:"pod"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	answers := json.NewEncoder(os.Stdout)
	for lines.Scan() {
		var asked question
		if err := json.Unmarshal(lines.Bytes(), &asked); err != nil {
			log.Fatal(err)
		}
		if err := answers.Encode(broken(asked)); err != nil {
			log.Fatal(err)
		}
	}
	if err := lines.Err(); err != nil {
		log.Fatal(err)
	}
}

// Each check is asked alone: together, the stricter of two hides the other.
func broken(asked question) []policy.CheckID {
	ids := []policy.CheckID{}
	for _, check := range policy.DefaultChecks() {
		evaluator, err := policy.NewEvaluator([]policy.Check{check}, nil)
		if err != nil {
			log.Fatal(err)
		}
		version := api.LevelVersion{Level: check.Level, Version: api.MajorMinorVersion(1, asked.Minor)}
		for _, result := range evaluator.EvaluatePod(version, &asked.Pod.ObjectMeta, &asked.Pod.Spec) {
			if !result.Allowed {
				ids = append(ids, check.ID)
			}
		}
	}
	return ids
}
