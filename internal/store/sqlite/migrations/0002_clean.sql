-- The opening of the database (see opened) that ended with everything given up and recorded; 0 is none.
ALTER TABLE counter ADD COLUMN clean INTEGER NOT NULL DEFAULT 0;
