package sqlite

// Statements returns the texts of all statements that the store has prepared and that nobody uses.
func (s *Store) Statements() []string {
	var texts []string
	collect := func(pool chan *conn, n int) {
		var taken []*conn
		for range n {
			taken = append(taken, <-pool)
		}
		for _, c := range taken {
			for text := range c.idle {
				texts = append(texts, text)
			}
			pool <- c
		}
	}
	collect(s.readers, s.opened)
	collect(s.writer, 1)
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
