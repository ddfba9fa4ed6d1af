package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/experience-slo/operator/api/v1alpha1"
	"github.com/experience-slo/operator/hack/stories"
)

// standings are journeys and objectives of all namespaces, by namespace/name.
type standings struct {
	journeys   map[string]*v1alpha1.Journey
	objectives map[string]*v1alpha1.Objective
}

// standings reads what there is.
func (d *demo) standings(ctx context.Context) (standings, error) {
	found := standings{map[string]*v1alpha1.Journey{}, map[string]*v1alpha1.Objective{}}
	var journeys v1alpha1.JourneyList
	var objectives v1alpha1.ObjectiveList
	if err := errors.Join(d.objects.List(ctx, &journeys), d.objects.List(ctx, &objectives)); err != nil {
		return found, fmt.Errorf("list journeys and objectives: %w", err)
	}
	for i := range journeys.Items {
		found.journeys[journeys.Items[i].Namespace+"/"+journeys.Items[i].Name] = &journeys.Items[i]
	}
	for i := range objectives.Items {
		found.objectives[objectives.Items[i].Namespace+"/"+objectives.Items[i].Name] = &objectives.Items[i]
	}
	return found, nil
}

// told returns the journeys that say what they will say.
func (s standings) told(all []stories.Story) map[string]*v1alpha1.Journey {
	out := map[string]*v1alpha1.Journey{}
	for i := range all {
		name := all[i].Namespace + "/" + all[i].Journey
		if j := s.journeys[name]; j != nil && stories.Told(j) {
			out[name] = j
		}
	}
	return out
}

// differences returns a line for each thing that does not come out as it is told.
func (s standings) differences(all []stories.Story) []string {
	var lines []string
	told := s.told(all)
	for i := range all {
		story := &all[i]
		j := told[story.Namespace+"/"+story.Journey]
		if j == nil {
			lines = append(lines, fmt.Sprintf("%s/%s: no verdict", story.Namespace, story.Journey))
			continue
		}
		lines = append(lines, story.Differences(j, within(s.objectives, story.Namespace))...)
	}
	return lines
}

// within returns the objectives of a namespace by name.
func within(all map[string]*v1alpha1.Objective, namespace string) map[string]*v1alpha1.Objective {
	out := map[string]*v1alpha1.Objective{}
	for key, o := range all {
		if name, ok := strings.CutPrefix(key, namespace+"/"); ok {
			out[name] = o
		}
	}
	return out
}

// awaitJourneys waits until every story is told, and compares each with what a
// person would say. When they differ it shows what there is.
func (d *demo) awaitJourneys(ctx context.Context) error {
	waiting, cancel := context.WithTimeoutCause(ctx, verdictTimeout, errNoVerdict)
	defer cancel()
	all := stories.All()
	var found standings
	err := poll(waiting, func() (bool, error) {
		var err error
		found, err = d.standings(waiting)
		return len(found.told(all)) == len(all), err
	})
	if err != nil && !errors.Is(context.Cause(waiting), errNoVerdict) {
		return err
	}
	wrong := found.differences(all)
	if len(wrong) == 0 {
		d.say("every journey has the expected verdict, pattern and weakest stage")
		return nil
	}
	err = fmt.Errorf("the stories do not come out as they are told:\n  %s", strings.Join(wrong, "\n  "))
	return errors.Join(err, d.showCommand(ctx, "get", "journeys", "-A", "-o", "wide"))
}
