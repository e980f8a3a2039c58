package dispatch

// Rows returns how many full rows a dispatcher holds, and how many deliveries it owes.
func Rows(d *Dispatcher) (rows, owed int) {
	d.scheduler.mu.Lock()
	defer d.scheduler.mu.Unlock()
	return d.scheduler.rows, d.scheduler.owed
}
