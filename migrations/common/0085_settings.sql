-- What an administrator set in the console, laid over the configuration file. Every version is kept.
CREATE TABLE settings (
    id         AUTO_KEY,
    section    TEXT NOT NULL,               -- queues, numbers, menus, office, notifications
    version    BIGINT NOT NULL,             -- from 1 for each section; the highest holds
    body       TEXT,                        -- JSON; none: as the file has it
    changed_by TEXT NOT NULL,               -- login
    changed_at BIGINT NOT NULL,
    UNIQUE (section, version)
);
