package engine

// SetFewRows makes an engine treat folders of a few messages as if they were large.
func (e *Engine) SetFewRows(n int) { e.fewRows = n }

// SetLargestBatch makes an engine copy a few messages as it would many.
func (e *Engine) SetLargestBatch(n int) { e.largestBatch = n }
