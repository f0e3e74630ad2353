-- The second factor of a log-in: a code that changes every half minute (RFC 6238).
CREATE TABLE second_factors (
    user_id    BIGINT NOT NULL PRIMARY KEY REFERENCES users (id),
    secret     TEXT NOT NULL,              -- base32
    confirmed  BIGINT NOT NULL,            -- 0 until the first code has shown that the user's device has it
    last_step  BIGINT NOT NULL,            -- of the last code that was taken: each is good once
    created_at BIGINT NOT NULL
);
