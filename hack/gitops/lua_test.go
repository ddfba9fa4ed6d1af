package gitops_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	lua "github.com/yuin/gopher-lua"
)

// healths are what Argo CD takes from a script. Another word becomes Unknown.
var healths = []string{"Healthy", "Progressing", "Degraded", "Suspended", "Missing", "Unknown"}

// assess runs a script over an object as Argo CD does: with the libraries base,
// package and table alone, for no longer than a second.
func assess(ctx context.Context, script string, object map[string]any) (status, message string, err error) {
	l := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer l.Close()
	for name, open := range map[string]lua.LGFunction{
		lua.LoadLibName: lua.OpenPackage, lua.BaseLibName: lua.OpenBase, lua.TabLibName: lua.OpenTable,
	} {
		if err := l.CallByParam(lua.P{Fn: l.NewFunction(open), Protect: true}, lua.LString(name)); err != nil {
			return "", "", fmt.Errorf("open library %q: %w", name, err)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	l.SetContext(ctx)
	l.SetGlobal("obj", value(l, object))
	if err := l.DoString(script); err != nil {
		return "", "", fmt.Errorf("run script: %w", err)
	}
	answer, ok := l.Get(-1).(*lua.LTable)
	if !ok {
		return "", "", fmt.Errorf("a script must return a table, not %s", l.Get(-1).Type())
	}
	if status = lua.LVAsString(answer.RawGetString("status")); !slices.Contains(healths, status) {
		return "", "", fmt.Errorf("%q is no health", status)
	}
	return status, lua.LVAsString(answer.RawGetString("message")), nil
}

// value is JSON in Lua: null is absent, every number is a float.
func value(l *lua.LState, v any) lua.LValue {
	switch v := v.(type) {
	case bool:
		return lua.LBool(v)
	case string:
		return lua.LString(v)
	case float64:
		return lua.LNumber(v)
	case int64:
		return lua.LNumber(v)
	case []any:
		list := l.NewTable()
		for _, item := range v {
			list.Append(value(l, item))
		}
		return list
	case map[string]any:
		table := l.NewTable()
		for key, item := range v {
			table.RawSetString(key, value(l, item))
		}
		return table
	default:
		return lua.LNil
	}
}

func TestAssess(t *testing.T) {
	type want struct {
		Status, Message string
		Fails           bool
	}
	cases := map[string]struct {
		reason, script string
		want           want
	}{
		"Table":   {"what a script returns", `return {status = "Healthy", message = obj.a[2].b}`, want{Status: "Healthy", Message: "c"}},
		"Number":  {"generations are compared", `if obj.n == 3 and obj.n ~= obj.f then return {status = "Degraded"} end`, want{Status: "Degraded"}},
		"Absent":  {"a null is not there", `if obj.null == nil then return {status = "Missing"} end`, want{Status: "Missing"}},
		"Nothing": {"a script that says nothing", `local hs = {}`, want{Fails: true}},
		"Word":    {"a health that is none", `return {status = "Fine"}`, want{Fails: true}},
		"String":  {"Argo CD opens no string library", `return {status = string.upper("healthy")}`, want{Fails: true}},
		"Method":  {"so strings have no methods", `return {status = ("Healthy"):sub(1)}`, want{Fails: true}},
		"Forever": {"a script that does not end is ended", `while true do end`, want{Fails: true}},
	}
	object := map[string]any{"a": []any{"x", map[string]any{"b": "c"}}, "n": int64(3), "f": 3.5, "null": nil}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var got want
			var err error
			got.Status, got.Message, err = assess(t.Context(), c.script, object)
			got.Fails = err != nil
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s: -want, +got:\n%s\n%v", c.reason, diff, err)
			}
		})
	}
}
