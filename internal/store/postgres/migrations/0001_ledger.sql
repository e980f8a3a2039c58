-- The ledger: what came in, what is owed, what was tried. Every id is an ident.ID: it rises with time and carries in its
-- low six bits the node that made it. Moments and durations are nanoseconds, moments since 1970 UTC; 0 is none.

-- Events are written once and read by id. Their deliveries were given the ids that follow the event's own, 64 apart.
CREATE TABLE event (
    id           bigint  NOT NULL,
    organization bigint  NOT NULL,
    project      bigint  NOT NULL,
    workspace    bigint  NOT NULL,
    run          bigint  NOT NULL,
    sequence     bigint  NOT NULL,
    deliveries   integer NOT NULL,
    kind         text    NOT NULL,
    key          text    NOT NULL,
    run_alias    text    NOT NULL,
    body         bytea   NOT NULL,
    CONSTRAINT event_id PRIMARY KEY (id)
);
-- The idempotency key. It stands in the event itself: a table of keys would cost a second row for each event.
CREATE UNIQUE INDEX event_key ON event (organization, key) WHERE key <> '';
CREATE UNIQUE INDEX event_run ON event (run, sequence) WHERE run <> 0;
CREATE INDEX event_run_alias ON event (run_alias) WHERE run_alias <> '';
CREATE INDEX event_organization ON event (organization, id);
CREATE INDEX event_workspace ON event (workspace, id) WHERE workspace <> 0;

-- What is owed: a row for each pending delivery and no other, so the table is as large as the backlog. A row that is due
-- again changes attempts and due, which no index holds, so that the change stays in its page; the fill factor leaves room.
CREATE TABLE queue (
    id           bigint   NOT NULL,
    event        bigint   NOT NULL,
    organization bigint   NOT NULL,
    subscription bigint   NOT NULL,
    version      bigint   NOT NULL,
    destination  bigint   NOT NULL,
    run          bigint   NOT NULL,
    sequence     bigint   NOT NULL,
    due          bigint   NOT NULL,
    origin       bigint   NOT NULL,
    notice       integer  NOT NULL,
    attempts     integer  NOT NULL,
    shard        smallint NOT NULL,
    cause        smallint NOT NULL,
    pinned       boolean  NOT NULL,
    unordered    boolean  NOT NULL,
    CONSTRAINT queue_id PRIMARY KEY (shard, id)
) WITH (
    fillfactor = 85,
    -- Rows come and go by the million: sweep often, without pauses, and without the lock that giving pages back takes.
    autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_vacuum_threshold = 5000,
    autovacuum_vacuum_cost_delay = 0,
    vacuum_truncate = false
);
-- The few deliveries whose ids do not follow their event's.
CREATE INDEX queue_repeat ON queue (event, id) WHERE cause <> 0;

-- Which subscriptions ever owed something to which destinations. It stands for two indexes that each delivery would have to
-- enter: a subscription's part of the queue is found by the shards of its destinations, a destination's part of the history
-- by its subscriptions. Each pair is written once.
CREATE TABLE lane (
    destination  bigint   NOT NULL,
    subscription bigint   NOT NULL,
    shard        smallint NOT NULL,
    CONSTRAINT lane_id PRIMARY KEY (destination, subscription)
);
CREATE INDEX lane_subscription ON lane (subscription, shard);

-- What was tried: written once, never changed. The final attempt of a delivery is also the delivery's place in the history.
-- Partitions are weeks of delivery ids; the store makes them ahead and drops them when the history has left them.
CREATE TABLE attempt (
    delivery     bigint   NOT NULL,
    event        bigint   NOT NULL,
    organization bigint   NOT NULL,
    subscription bigint   NOT NULL,
    version      bigint   NOT NULL,
    destination  bigint   NOT NULL,
    run          bigint   NOT NULL,
    sequence     bigint   NOT NULL,
    due          bigint   NOT NULL,
    origin       bigint   NOT NULL,
    workspace    bigint   NOT NULL,
    started      bigint   NOT NULL,
    duration     bigint   NOT NULL,
    retry_after  bigint   NOT NULL,
    body_hash    bigint   NOT NULL,
    notice       integer  NOT NULL,
    attempts     integer  NOT NULL,
    number       integer  NOT NULL,
    place        integer  NOT NULL, -- the number; of the final attempt, the highest there is
    status       integer  NOT NULL,
    body_size    integer  NOT NULL,
    cause        smallint NOT NULL,
    state        smallint NOT NULL,
    class        smallint NOT NULL,
    node         smallint NOT NULL,
    pinned       boolean  NOT NULL,
    unordered    boolean  NOT NULL,
    repeat       boolean  NOT NULL,
    trigger      text     NOT NULL,
    address      text     NOT NULL,
    detail       text     NOT NULL,
    response     bytea    NOT NULL,
    -- By place a delivery's attempts are in their order, and no delivery ends twice.
    CONSTRAINT attempt_id PRIMARY KEY (delivery, place)
) PARTITION BY RANGE (delivery);
CREATE INDEX attempt_subscription ON attempt (subscription, delivery);
CREATE INDEX attempt_workspace ON attempt (workspace, delivery);
CREATE INDEX attempt_organization ON attempt (organization, delivery);
-- Small ones, for what is rare: deliveries that ended badly, repeated ones, answered second tries.
CREATE INDEX attempt_failed ON attempt (organization, delivery) WHERE state >= 2;
CREATE INDEX attempt_repeat ON attempt (event, delivery) WHERE cause <> 0;
CREATE INDEX attempt_origin ON attempt (origin) WHERE origin <> 0;
CREATE INDEX attempt_again ON attempt (subscription, started) WHERE number > 1 AND class = 1;

-- The accounts: a row for each node and each of its writers, so that no two commits wait for one another's row. newest is
-- the highest id that the node has stored.
CREATE TABLE book (
    node      smallint NOT NULL,
    writer    smallint NOT NULL,
    accepted  bigint   NOT NULL DEFAULT 0,
    delivered bigint   NOT NULL DEFAULT 0,
    exhausted bigint   NOT NULL DEFAULT 0,
    cancelled bigint   NOT NULL DEFAULT 0,
    newest    bigint   NOT NULL DEFAULT 0,
    CONSTRAINT book_id PRIMARY KEY (node, writer)
) WITH (fillfactor = 20);

-- Below the floor an attempt counts as removed when its event is: partitions are dropped whole, later.
CREATE TABLE retention (
    singleton boolean NOT NULL PRIMARY KEY DEFAULT true CHECK (singleton),
    floor bigint  NOT NULL
);
INSERT INTO retention (floor) VALUES (0);
