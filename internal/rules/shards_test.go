package rules_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/experience-slo/operator/internal/rules"
)

// files are so many rule files of a size.
func files(count, size int) map[string]string {
	out := map[string]string{}
	for i := range count {
		out[fmt.Sprintf("shop.objective-%d.yaml", i)] = strings.Repeat("x", size)
	}
	return out
}

// maxShard is below the mebibyte that an object of Kubernetes may have.
const maxShard = 900 << 10

// joined puts the files of shards together, and checks each shard.
func joined(t *testing.T, shards []rules.Shard) map[string]string {
	t.Helper()
	out, names := map[string]string{}, map[string]bool{}
	for _, shard := range shards {
		size := 0
		for name, text := range shard.Data {
			size += len(name) + len(text)
		}
		if size > maxShard && len(shard.Data) > 1 {
			t.Errorf("%s has %d bytes", shard.Name, size)
		}
		if names[shard.Name] || len(shard.Data) == 0 {
			t.Errorf("%s is empty or there twice", shard.Name)
		}
		names[shard.Name] = true
		maps.Copy(out, shard.Data)
	}
	return out
}

// sizes are the lengths of files, for a diff that can be read.
func sizes(files map[string]string) map[string]int {
	out := map[string]int{}
	for name, text := range files {
		out[name] = len(text)
	}
	return out
}

func TestShards(t *testing.T) {
	cases := map[string]struct {
		reason string
		args   map[string]string
		// shards are at least and at most so many.
		least, most int
	}{
		"None":     {"Without rules there is no shard.", nil, 0, 0},
		"One":      {"A small namespace has one.", files(3, 14<<10), 1, 1},
		"Full":     {"Up to the limit.", map[string]string{"a.yaml": strings.Repeat("x", maxShard-len("a.yaml"))}, 1, 1},
		"Many":     {"A large one has more.", files(2000, 14<<10), 32, 128},
		"OneLarge": {"A file that is too large has a shard of its own.", files(1, maxShard+1), 1, 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := rules.Shards("rules", tc.args)
			if len(got) < tc.least || len(got) > tc.most {
				t.Errorf("\n%s\nShards: %d, want %d to %d", tc.reason, len(got), tc.least, tc.most)
			}
			if diff := cmp.Diff(sizes(tc.args), sizes(joined(t, got))); diff != "" {
				t.Errorf("\n%s\nfiles: -given, +in shards:\n%s", tc.reason, diff)
			}
			if diff := cmp.Diff(got, rules.Shards("rules", tc.args)); diff != "" {
				t.Errorf("\n%s\nthe same files are spread in another way:\n%s", tc.reason, diff)
			}
		})
	}
}

// TestShardsAreSteady checks that an objective that comes changes one shard.
func TestShardsAreSteady(t *testing.T) {
	before := files(300, 14<<10)
	after := maps.Clone(before)
	after["shop.aaa.yaml"] = "new"
	was := map[string]rules.Shard{}
	for _, shard := range rules.Shards("rules", before) {
		was[shard.Name] = shard
	}
	changed := 0
	for _, shard := range rules.Shards("rules", after) {
		if !cmp.Equal(was[shard.Name], shard) {
			changed++
		}
	}
	if changed != 1 || len(was) < 4 {
		t.Errorf("%d of %d shards changed, want 1", changed, len(was))
	}
}
