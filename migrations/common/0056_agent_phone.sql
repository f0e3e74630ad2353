-- What an agent telephones with: desk, a telephone or softphone that registers by itself; browser, the console's own.
ALTER TABLE agents ADD COLUMN phone TEXT NOT NULL DEFAULT 'desk';
