-- What happened. Append-only; the body is written once, whatever the number of deliveries. The deliveries that an event
-- was accepted with have the IDs id + 64, id + 128, ...: as many as the column says. Lists of deliveries by run, workspace,
-- event and organization start here, so that attempt needs no indexes for them.
CREATE TABLE event (
    id           INTEGER PRIMARY KEY,
    organization INTEGER NOT NULL,
    project      INTEGER NOT NULL,
    workspace    INTEGER NOT NULL,
    run          INTEGER,              -- NULL outside of runs
    sequence     INTEGER NOT NULL,
    deliveries   INTEGER NOT NULL,
    kind         TEXT    NOT NULL,
    key          TEXT,                 -- NULL without an idempotency key
    run_alias    TEXT,                 -- on a run's first event
    body         BLOB    NOT NULL
) STRICT;
CREATE UNIQUE INDEX event_run ON event (run, sequence) WHERE run IS NOT NULL;
CREATE UNIQUE INDEX event_key ON event (organization, key) WHERE key IS NOT NULL;
CREATE INDEX event_alias ON event (run_alias) WHERE run_alias IS NOT NULL;
CREATE INDEX event_organization ON event (organization);
CREATE INDEX event_workspace ON event (workspace);

-- What is owed: a row for each pending delivery, gone when it ends. rest holds the fields that nobody searches for.
CREATE TABLE queue (
    shard        INTEGER NOT NULL,
    id           INTEGER NOT NULL,
    subscription INTEGER NOT NULL,
    aside        INTEGER,              -- the event of a delivery that the event was not accepted with, NULL for all others
    attempts     INTEGER NOT NULL,
    due          INTEGER NOT NULL,     -- microseconds since 1970
    rest         BLOB    NOT NULL,
    PRIMARY KEY (shard, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX queue_subscription ON queue (subscription, id);
CREATE INDEX queue_aside ON queue (id) WHERE aside IS NOT NULL;
CREATE INDEX queue_aside_event ON queue (aside) WHERE aside IS NOT NULL;

-- What was tried. Append-only. The final attempt of a delivery has slot 0, which makes it unique; the others have their
-- number.
CREATE TABLE attempt (
    delivery     INTEGER NOT NULL,
    slot         INTEGER NOT NULL,
    subscription INTEGER NOT NULL,
    cause        INTEGER NOT NULL,
    origin       INTEGER,              -- NULL unless the delivery repeats another one
    state        INTEGER NOT NULL,
    status       INTEGER,              -- NULL without an answer
    rest         BLOB    NOT NULL,
    PRIMARY KEY (delivery, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX attempt_subscription ON attempt (subscription, delivery);
CREATE INDEX attempt_failed ON attempt (delivery) WHERE state >= 2;
CREATE INDEX attempt_origin ON attempt (origin) WHERE origin IS NOT NULL;
CREATE INDEX attempt_aside ON attempt (delivery) WHERE cause <> 0;

-- Which subscriptions ever had something to deliver to a destination: few pairs, which spare attempt an index.
CREATE TABLE lane (
    destination  INTEGER NOT NULL,
    subscription INTEGER NOT NULL,
    PRIMARY KEY (destination, subscription)
) STRICT, WITHOUT ROWID;

-- What people manage.
CREATE TABLE record (
    kind     TEXT    NOT NULL,
    id       INTEGER NOT NULL,
    parent   INTEGER NOT NULL,
    name     TEXT,                     -- NULL without a name
    revision INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX record_name ON record (kind, parent, name) WHERE name IS NOT NULL;
CREATE INDEX record_parent ON record (kind, parent, id);

CREATE TABLE alias (
    kind  TEXT    NOT NULL,
    alias TEXT    NOT NULL,
    id    INTEGER NOT NULL,
    PRIMARY KEY (kind, alias)
) STRICT, WITHOUT ROWID;
CREATE INDEX alias_id ON alias (kind, id);

-- Which records changed, in the order of revisions. The oldest are cut off.
CREATE TABLE change (
    serial   INTEGER PRIMARY KEY,
    revision INTEGER NOT NULL,
    kind     TEXT    NOT NULL,
    id       INTEGER NOT NULL
) STRICT;
CREATE INDEX change_revision ON change (revision);

-- The one row of counters: how often the database was opened, the records' revision, the revision from which on change is
-- complete, and the accounts of every delivery ever accepted.
CREATE TABLE counter (
    one       INTEGER PRIMARY KEY CHECK (one = 1),
    opened    INTEGER NOT NULL,
    revision  INTEGER NOT NULL,
    cut       INTEGER NOT NULL,
    accepted  INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    exhausted INTEGER NOT NULL,
    cancelled INTEGER NOT NULL
) STRICT;
INSERT INTO counter VALUES (1, 0, 0, 0, 0, 0, 0, 0);
