// Package stories is what a person who knows the five customers would say of
// their journeys: the verdict, the pattern, the weakest stage, and of each promise
// whether it is kept and by about how much. The manifests are in
// config/samples/stories, the traffic in hack/simulate. The demo, the end-to-end
// test and docs/stories.md are held to this one table.
package stories
