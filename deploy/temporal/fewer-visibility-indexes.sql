-- Drops those indexes of Temporal's visibility table that no query of Postrider needs, nor the Web UI's usual
-- filters. Each workflow writes to the table twice: with all its indexes that is most of what PostgreSQL does for
-- Temporal. docs/performance.md has the figures.
--
--   psql --dbname temporal_visibility --file fewer-visibility-indexes.sql
--
-- What it gives up: filters by the other search attributes (history length, task queue, root workflow, build ID,
-- attributes of your own …) read the whole table. The table postrider_dropped_indexes keeps what was dropped:
-- all-visibility-indexes.sql brings it back, which has to be done before Temporal's schema is updated.

BEGIN;

CREATE TABLE IF NOT EXISTS postrider_dropped_indexes (name text PRIMARY KEY, definition text NOT NULL);

INSERT INTO postrider_dropped_indexes (name, definition)
SELECT indexname, indexdef
FROM pg_indexes
WHERE schemaname = current_schema() AND tablename = 'executions_visibility' AND indexname NOT IN (
    'executions_visibility_pkey',
    'default_idx',                 -- the list of workflows
    'by_workflow_id',              -- a delivery by its ID
    'by_workflow_type',            -- WorkflowType = "Delivery"
    'by_status',                   -- ExecutionStatus = "Failed": what was given up
    'by_execution_time',
    'by_keyword_01',               -- PostriderEvent, PostriderWebhook and PostriderOwner
    'by_keyword_02',
    'by_keyword_03',
    'by_parent_workflow_id',       -- the notifications of a delivery
    'by_temporal_scheduled_by_id'  -- what a schedule has started
)
ON CONFLICT (name) DO NOTHING;

DO $$
DECLARE
    index_name text;
BEGIN
    FOR index_name IN SELECT name FROM postrider_dropped_indexes LOOP
        EXECUTE format('DROP INDEX IF EXISTS %I', index_name);
    END LOOP;
END
$$;

COMMIT;
