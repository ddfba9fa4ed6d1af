package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/internal/kube"
)

// completionPatience is how long a person waits for a name after the tab key.
const completionPatience = 3 * time.Second

// completion is what cobra asks for the words that may come next.
type completion = func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective)

// lookUp asks a cluster for words. Where it cannot be asked there are none: a
// complaint would land in the middle of a person's command line.
func lookUp(options *kube.Options, words func(ctx context.Context, cluster *kube.Cluster) ([]string, error)) completion {
	return func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := context.WithTimeout(cmd.Context(), completionPatience)
		defer cancel()
		cluster, err := options.Connect()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		found, err := words(ctx, cluster)
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return beginning(begun, found), cobra.ShellCompDirectiveNoFileComp
	}
}

// beginning are the words that begin like this.
func beginning(begun string, words []string) []string {
	var out []string
	for _, word := range words {
		if strings.HasPrefix(word, begun) {
			out = append(out, word)
		}
	}
	return out
}

// once offers words for the first argument alone.
func once(words completion) completion {
	return func(cmd *cobra.Command, args []string, begun string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return words(cmd, args, begun)
	}
}

// completeGates offers the gates of the namespace, with what they came to.
func (p Program) completeGates(options *kube.Options) completion {
	return once(lookUp(options, func(ctx context.Context, cluster *kube.Cluster) ([]string, error) {
		gates, err := cluster.Gates(ctx, kube.Query{Namespace: cluster.Namespace})
		var out []string
		for _, g := range gates {
			out = append(out, g.Name+"\t"+strings.TrimSpace(string(g.Status.Verdict)+" "+string(g.Status.Revision)))
		}
		return out, err
	}))
}

// completeObjectives offers the objectives of the namespace, with whether they
// are met.
func (p Program) completeObjectives(options *kube.Options) completion {
	return once(lookUp(options, func(ctx context.Context, cluster *kube.Cluster) ([]string, error) {
		objectives, err := cluster.Objectives(ctx, kube.Query{Namespace: cluster.Namespace})
		var out []string
		for i := range objectives {
			out = append(out, objectives[i].Name+"\t"+standing(&objectives[i]).word())
		}
		return out, err
	}))
}

// completeCluster offers the values of the flags that name a cluster.
func (p Program) completeCluster(cmd *cobra.Command, options *kube.Options) {
	completeFlag(cmd, "namespace", lookUp(options, func(ctx context.Context, cluster *kube.Cluster) ([]string, error) {
		return cluster.Namespaces(ctx)
	}))
	completeFlag(cmd, "context", func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		contexts, err := options.Contexts()
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return beginning(begun, contexts), cobra.ShellCompDirectiveNoFileComp
	})
}

// completeValues offers the values that a flag can have.
func completeValues(cmd *cobra.Command, flag string, values ...string) {
	completeFlag(cmd, flag, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		return beginning(begun, values), cobra.ShellCompDirectiveNoFileComp
	})
}

// completeFlag offers words for a flag.
func completeFlag(cmd *cobra.Command, flag string, words completion) {
	if err := cmd.RegisterFlagCompletionFunc(flag, words); err != nil {
		panic(err) // there is no such flag, or it has words already
	}
}

// completeSpec offers what objectives say in a field.
func (p Program) completeSpec(options *kube.Options, field func(v1alpha1.ObjectiveSpec) string) completion {
	return lookUp(options, func(ctx context.Context, cluster *kube.Cluster) ([]string, error) {
		objectives, err := cluster.Objectives(ctx, kube.Query{Namespace: cluster.Namespace})
		var out []string
		for _, o := range objectives {
			if text := field(o.Spec); text != "" {
				out = append(out, text)
			}
		}
		slices.Sort(out)
		return slices.Compact(out), err
	})
}
