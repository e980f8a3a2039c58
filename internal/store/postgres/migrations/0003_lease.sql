-- Who lives, and who owns which shard. The clock is the database's.
CREATE TABLE node (
    number      smallint    NOT NULL PRIMARY KEY,
    incarnation bigint      NOT NULL, -- drawn at Join: tells two processes apart that held one number after another
    name        text        NOT NULL,
    expires     timestamptz NOT NULL
);

CREATE TABLE shard (
    shard smallint NOT NULL PRIMARY KEY,
    owner smallint,
    epoch bigint   NOT NULL
);
INSERT INTO shard (shard, epoch) SELECT n, 0 FROM generate_series(0, 63) AS n;

-- fence ends the transaction unless the holder owns the shards in those epochs, and keeps that true until the commit.
-- Whoever takes shards from a node first locks the node's row against this lock, so that it waits for recordings under way
-- and later ones meet the new epoch. One row is locked, not each shard's: commits are frequent and take-overs are not. The
-- lock is the weakest that does it, and lets the node renew its lease meanwhile.
-- The second look is a statement of its own and so sees what was committed while the first one waited.
CREATE FUNCTION fence(holder smallint, shards smallint[], epochs bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM 1 FROM node WHERE number = holder FOR KEY SHARE;
    IF NOT FOUND OR EXISTS (
        SELECT 1
        FROM unnest(shards, epochs) AS held (shard, epoch)
        LEFT JOIN shard s ON s.shard = held.shard AND s.epoch = held.epoch AND s.owner = holder
        WHERE s.shard IS NULL
    ) THEN
        RAISE EXCEPTION 'the shard belongs to another node now' USING ERRCODE = 'CA001';
    END IF;
END
$$;

-- join_cluster gives the lowest number that is free, or whose lease has ended, to a process, and returns NULL when there is
-- none. It is a function so that no process can be paused between its steps: a lease could not be renewed meanwhile.
CREATE FUNCTION join_cluster(newcomer bigint, called text, lifetime interval) RETURNS smallint LANGUAGE plpgsql AS $$
DECLARE
    chosen smallint;
BEGIN
    LOCK TABLE node IN SHARE ROW EXCLUSIVE MODE;
    SELECT n INTO chosen FROM generate_series(0, 63) AS n
    WHERE NOT EXISTS (SELECT 1 FROM node WHERE number = n AND expires > clock_timestamp())
    ORDER BY n LIMIT 1;
    IF chosen IS NULL THEN
        RETURN NULL;
    END IF;
    -- Whatever the process that had the number before still sends is fenced: its recordings under way are waited for, and
    -- the epochs of what it owned rise.
    PERFORM 1 FROM node WHERE number = chosen FOR UPDATE;
    UPDATE shard SET owner = NULL, epoch = epoch + 1 WHERE owner = chosen;
    INSERT INTO node (number, incarnation, name, expires) VALUES (chosen, newcomer, called, clock_timestamp() + lifetime)
    ON CONFLICT (number) DO UPDATE
        SET incarnation = excluded.incarnation, name = excluded.name, expires = excluded.expires;
    RETURN chosen;
END
$$;
