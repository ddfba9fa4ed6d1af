package main

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// stagesText has kubectl print what a customer gets at each stage of a journey.
const stagesText = `{range .status.stages[*]}{.name}: {.gets}{"\n"}{end}`

// show prints what a person at a terminal would look at first.
func (d *demo) show(ctx context.Context) error {
	if err := d.showCommand(ctx, "get", "objectives", "-A"); err != nil {
		return err
	}
	if err := d.showCommand(ctx, "get", "journeys", "-A", "-o", "wide"); err != nil {
		return err
	}
	if err := d.showCommand(ctx, "get", "journey", "-n", "long-hold", "question", "-o", "jsonpath="+stagesText); err != nil {
		return err
	}
	return d.showCommand(ctx, "describe", "objective", "-n", "flight", "check-in-wait")
}

// showNext prints what to try.
func (d *demo) showNext(context.Context) error {
	d.print(d.next())
	return nil
}

// showCommand prints a kubectl command and what it answers.
func (d *demo) showCommand(ctx context.Context, args ...string) error {
	var out bytes.Buffer
	if err := d.kubectl(ctx, &out, args...); err != nil {
		return err
	}
	d.print("\n$ kubectl " + shell(args) + "\n" + out.String())
	return nil
}

// shell writes arguments so that they can be pasted into a shell.
func shell(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		if quoted[i] = arg; strings.ContainsAny(arg, ` {}*"`) {
			quoted[i] = "'" + arg + "'"
		}
	}
	return strings.Join(quoted, " ")
}

// next is the commands to try, ready to be pasted into a shell.
func (d *demo) next() string {
	return fmt.Sprintf(`
Try next, in another terminal:
  export KUBECONFIG=%s PATH=%s:$PATH
  kubectl wait --for=condition=Met -n laptop objective/recommendation
  kubectl patch objective -n long-hold page-speed --type merge -p '{"spec":{"target":"95%%"}}' && kubectl wait --for=condition=Met=False -n long-hold objective/page-speed
  kubectl describe objective -n laptop delivery
  kubectl describe journey -n laptop laptop
  kubectl experience explain -n flight check-in-wait
  kubectl experience status -n long-hold -o report

`, d.cluster.Kubeconfig, d.bin)
}

// print writes text as it is.
func (d *demo) print(text string) {
	d.mutex.Lock()
	defer d.mutex.Unlock()
	_, _ = fmt.Fprint(d.out, text)
}
