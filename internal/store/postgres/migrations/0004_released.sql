-- Whether the last owner of a shard gave it up itself: everything that it sent is recorded then. A claim takes it back.
ALTER TABLE shard ADD COLUMN released boolean NOT NULL DEFAULT false;
