package slo

import "time"

// BudgetRemaining returns the fraction of the error budget that is left:
// 1 − (1 − attainment)/(1 − target). It is 1 when nothing was lost, 0 when the
// target is met exactly and negative when it is missed. Target must be below 1.
func BudgetRemaining(attainment, target float64) float64 {
	return 1 - burn(attainment, target)
}

// FormatBudget writes a remaining budget for people, such as "25.2%" or "-40%".
// It takes as many decimals as it needs, up to six, not to read as "100%" when
// something was lost, as "0%" when something is left, and as "0%" when the
// budget is overspent.
func FormatBudget(remaining float64) string {
	return Percent.FormatAgainst(remaining, 0)
}

// ParseBudget reads what FormatBudget wrote, also of a budget that is overspent.
func ParseBudget(text string) (remaining float64, err error) { return Percent.read("budget", text) }

// BurnRate returns how fast the budget is being spent: (1 − attainment)/(1 − target),
// where 1 spends exactly the whole budget over the whole window. It reports false
// when there is no attainment to speak of. Target must be below 1.
func BurnRate(s Sums, target float64) (float64, bool) {
	attainment, ok := s.Attainment()
	if !ok {
		return 0, false
	}
	return burn(attainment, target), true
}

func burn(attainment, target float64) float64 {
	return (1 - attainment) / (1 - target)
}

// ExhaustsAt returns when the budget runs out if the present burn goes on:
// now + remaining·period/burn. Period is the length of the objective's window and
// remaining the fraction of its budget that is left.
//
// The formula supposes steady traffic and gives no credit for old failures that
// will leave a rolling window, so it errs on the early side. It reports false when
// the budget is already spent, when nothing burns, and when it would last for more
// than one period, by when everything in the window will have changed.
func ExhaustsAt(now time.Time, remaining, burn float64, period time.Duration) (time.Time, bool) {
	if !(remaining > 0) || !(burn > 0) || burn < remaining {
		return time.Time{}, false
	}
	return now.Add(time.Duration(remaining / burn * float64(period))), true
}
