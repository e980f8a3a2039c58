-- What people manage: few records, changed seldom.
CREATE TABLE record (
    kind     text   NOT NULL,
    id       bigint NOT NULL,
    parent   bigint NOT NULL,
    name     text   NOT NULL,
    aliases  text[] NOT NULL,
    body     bytea  NOT NULL,
    revision bigint NOT NULL,
    CONSTRAINT record_id PRIMARY KEY (kind, id)
);
CREATE UNIQUE INDEX record_name ON record (kind, parent, name) WHERE name <> '';
CREATE INDEX record_parent ON record (kind, parent, id);

CREATE TABLE record_alias (
    kind  text   NOT NULL,
    alias text   NOT NULL,
    id    bigint NOT NULL,
    CONSTRAINT record_alias_id PRIMARY KEY (kind, alias)
);
CREATE INDEX record_alias_owner ON record_alias (kind, id);

-- The log of changes, so that other nodes read what changed and not everything. It is cut at its old end and reaches back
-- to revisions above the floor.
CREATE TABLE record_change (
    ordinal  bigint NOT NULL,
    revision bigint NOT NULL,
    kind     text   NOT NULL,
    id       bigint NOT NULL,
    CONSTRAINT record_change_id PRIMARY KEY (ordinal)
);
CREATE INDEX record_change_revision ON record_change (revision, ordinal);

-- One row. Whoever changes records holds it until the change is committed, so that revisions become visible in order.
CREATE TABLE revision (
    singleton boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (singleton),
    value   bigint  NOT NULL,
    changes bigint  NOT NULL, -- ever made: the ordinal of the newest
    floor   bigint  NOT NULL
);
INSERT INTO revision (value, changes, floor) VALUES (0, 0, 0);
