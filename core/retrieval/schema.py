"""The knowledge base's tables. Knows no code that uses them.

A document is a path; its texts are `versions`; a view ("current", "today", "training-day") says which version of
which document is valid there, so the same text in two snapshots is split and embedded once. Chunks belong to a version
and never change; an embedding may follow its chunk later. `index_state.generation` counts every change of what can be
found (so that a process beside this one notices), `removals` those that take chunks away.

Where `vector_place` names a server, a row of `embeddings` whose vector is empty says that the vector lies there, under
the row's id; one that is not empty waits to be handed over. `vectors_gone` are ids that the server is still to delete.
"""

from core.store import Migration

MIGRATIONS = [
    Migration(
        "knowledge-1",
        """
        CREATE TABLE documents (id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE);
        CREATE TABLE versions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            hash TEXT NOT NULL,
            title TEXT NOT NULL,
            text TEXT NOT NULL,
            metadata TEXT NOT NULL,
            origin TEXT NOT NULL,
            made TEXT NOT NULL,
            split TEXT,
            UNIQUE (document, hash)
        );
        CREATE TABLE views (
            name TEXT NOT NULL,
            document INTEGER NOT NULL REFERENCES documents (id) ON DELETE CASCADE,
            version INTEGER NOT NULL REFERENCES versions (id),
            PRIMARY KEY (name, document)
        ) WITHOUT ROWID;
        CREATE INDEX views_version ON views (version);
        CREATE TABLE chunks (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            version INTEGER NOT NULL REFERENCES versions (id) ON DELETE CASCADE,
            title TEXT NOT NULL,
            heading TEXT NOT NULL,
            body TEXT NOT NULL,
            start INTEGER NOT NULL,
            stop INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            hash BLOB NOT NULL
        );
        CREATE INDEX chunks_version ON chunks (version);
        CREATE INDEX chunks_hash ON chunks (hash);
        CREATE TABLE embeddings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            chunk INTEGER NOT NULL UNIQUE REFERENCES chunks (id) ON DELETE CASCADE,
            version INTEGER NOT NULL,
            vector BLOB NOT NULL
        );
        CREATE VIRTUAL TABLE words USING fts5 (
            title, heading, body, content = 'chunks', content_rowid = 'id', tokenize = 'porter unicode61'
        );
        INSERT INTO words (words, rank) VALUES ('rank', 'bm25(1.0, 1.0, 1.0)');
        CREATE TRIGGER chunks_added AFTER INSERT ON chunks BEGIN
            INSERT INTO words (rowid, title, heading, body) VALUES (new.id, new.title, new.heading, new.body);
        END;
        CREATE TRIGGER chunks_removed AFTER DELETE ON chunks BEGIN
            INSERT INTO words (words, rowid, title, heading, body)
            VALUES ('delete', old.id, old.title, old.heading, old.body);
        END;
        CREATE TABLE index_state (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            generation INTEGER NOT NULL,
            removals INTEGER NOT NULL,
            embedder TEXT,
            settings TEXT NOT NULL
        );
        INSERT INTO index_state VALUES (1, 0, 0, NULL, '{}');
        """,
    ),
    Migration(
        "knowledge-2",
        """
        CREATE TABLE vector_place (
            one INTEGER PRIMARY KEY CHECK (one = 1),
            url TEXT NOT NULL,
            key_variable TEXT NOT NULL,
            collection TEXT NOT NULL,
            version TEXT NOT NULL,
            next_version TEXT NOT NULL
        );
        CREATE TABLE vectors_gone (id INTEGER PRIMARY KEY);
        CREATE TRIGGER vectors_removed AFTER DELETE ON embeddings WHEN EXISTS (SELECT 1 FROM vector_place) BEGIN
            INSERT OR IGNORE INTO vectors_gone VALUES (old.id);
        END;
        CREATE INDEX embeddings_length ON embeddings (length(vector));
        ALTER TABLE index_state ADD COLUMN embedding TEXT NOT NULL DEFAULT '{}';
        """,
    ),
    Migration(  # a chunk is found by its document's first sentence too; older chunks get theirs when next indexed
        "knowledge-3",
        """
        ALTER TABLE chunks ADD COLUMN lead TEXT NOT NULL DEFAULT '';
        DROP TRIGGER chunks_added;
        DROP TRIGGER chunks_removed;
        DROP TABLE words;
        CREATE VIRTUAL TABLE words USING fts5 (
            title, heading, lead, body, content = 'chunks', content_rowid = 'id', tokenize = 'porter unicode61'
        );
        INSERT INTO words (words, rank) VALUES ('rank', 'bm25(1.0, 1.0, 1.0, 1.0)');
        INSERT INTO words (words) VALUES ('rebuild');
        CREATE TRIGGER chunks_added AFTER INSERT ON chunks BEGIN
            INSERT INTO words (rowid, title, heading, lead, body)
            VALUES (new.id, new.title, new.heading, new.lead, new.body);
        END;
        CREATE TRIGGER chunks_removed AFTER DELETE ON chunks BEGIN
            INSERT INTO words (words, rowid, title, heading, lead, body)
            VALUES ('delete', old.id, old.title, old.heading, old.lead, old.body);
        END;
        """,
    ),
]
