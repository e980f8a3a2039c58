package sqlite

// Statements returns the texts of all statements that the store has prepared and that nobody uses.
func (s *Store) Statements() []string {
	var texts []string
	var taken []*conn
	for _, pool := range s.pools {
		c := <-pool
		taken = append(taken, c)
		for text := range c.idle {
			texts = append(texts, text)
		}
	}
	for i, pool := range s.pools {
		pool <- taken[i]
	}
	return texts
}

// Plan returns how SQLite runs a statement, step by step.
func (s *Store) Plan(text string) (steps []string, err error) {
	c := <-s.writer
	defer func() { s.writer <- c }()
	p, err := c.prepare("EXPLAIN QUERY PLAN " + text)
	if err != nil {
		return nil, err
	}
	defer p.done()
	for range p.wants {
		p.null()
	}
	for {
		more, err := p.step()
		if !more {
			return steps, err
		}
		steps = append(steps, p.colText(3))
	}
}

// Exec runs a script on the connection that writes.
func (s *Store) Exec(script string) error {
	c := <-s.writer
	defer func() { s.writer <- c }()
	return c.exec(script)
}

// CheckpointAfter makes the log be copied after so many pages.
func (s *Store) CheckpointAfter(pages int32) {
	c := <-s.writer
	defer func() { s.writer <- c }()
	s.checkpointer.pages = pages
}
