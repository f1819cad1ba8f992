/**
 * The catalog's schema, oldest first. The list only grows: what has been released is never edited. Times are
 * milliseconds since the epoch; files are paths relative to the storage folder.
 */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE association (
    association_id INTEGER PRIMARY KEY,
    calling_ae_title TEXT NOT NULL,
    called_ae_title TEXT NOT NULL,
    remote_address TEXT NOT NULL,
    opened_at INTEGER NOT NULL,
    closed_at INTEGER,
    ended TEXT CHECK (ended IN ('released', 'aborted', 'lost'))
  ) STRICT;

  CREATE TABLE study (
    study_instance_uid TEXT PRIMARY KEY,
    patient_key TEXT NOT NULL,
    calling_ae_title TEXT NOT NULL,
    called_ae_title TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_instance_at INTEGER NOT NULL,
    -- When a series is to be chosen; NULL while there is nothing new to choose from.
    selection_due_at INTEGER,
    -- Set before a study's files are deleted, so that a crash in between is finished at start.
    removing INTEGER NOT NULL DEFAULT 0 CHECK (removing IN (0, 1))
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX study_selection_due ON study (selection_due_at) WHERE selection_due_at IS NOT NULL;
  CREATE INDEX study_last_instance ON study (last_instance_at);

  CREATE TABLE series (
    series_instance_uid TEXT PRIMARY KEY,
    study_instance_uid TEXT NOT NULL REFERENCES study,
    modality TEXT,
    series_number INTEGER,
    state TEXT NOT NULL CHECK (state IN ('receiving', 'complete')),
    -- Raised whenever a late instance opens the series again.
    revision INTEGER NOT NULL DEFAULT 1,
    instances INTEGER NOT NULL DEFAULT 0,
    first_instance_at INTEGER NOT NULL,
    last_instance_at INTEGER NOT NULL,
    completed_at INTEGER,
    completion_confidence TEXT CHECK (completion_confidence IN ('proven', 'likely', 'unknown')),
    completion_code TEXT,
    completion_text TEXT,
    verdict TEXT CHECK (verdict IN ('analysed', 'eligible', 'not-eligible')),
    verdict_code TEXT,
    verdict_text TEXT,
    -- Why the pixels were refused when the series was read; forgotten when a late instance comes.
    refusal_code TEXT,
    refusal_text TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX series_study ON series (study_instance_uid);
  CREATE INDEX series_receiving ON series (state) WHERE state = 'receiving';

  CREATE TABLE instance (
    sop_instance_uid TEXT PRIMARY KEY,
    series_instance_uid TEXT NOT NULL REFERENCES series,
    sop_class_uid TEXT NOT NULL,
    transfer_syntax_uid TEXT NOT NULL,
    -- SHA-256 of the dataset's bytes as received, in hex.
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    file TEXT NOT NULL,
    association_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    header TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX instance_series ON instance (series_instance_uid);

  CREATE TABLE conflict (
    conflict_id INTEGER PRIMARY KEY,
    sop_instance_uid TEXT NOT NULL,
    study_instance_uid TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('instance-bytes', 'series-study', 'study-patient')),
    sha256 TEXT NOT NULL,
    file TEXT,
    association_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    UNIQUE (sop_instance_uid, kind, sha256)
  ) STRICT;

  CREATE TABLE analysis (
    analysis_id INTEGER PRIMARY KEY,
    study_instance_uid TEXT NOT NULL REFERENCES study,
    revision INTEGER NOT NULL,
    -- NULL where no series of the study is eligible.
    series_instance_uid TEXT,
    -- Hash over what is read: the same input is not analysed twice unless someone asks.
    input_hash TEXT NOT NULL,
    trigger_code TEXT NOT NULL,
    trigger_text TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'running', 'analysed', 'composing', 'reported', 'stuck')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    analysed_at INTEGER,
    reported_at INTEGER,
    outcome TEXT CHECK (outcome IN ('positive', 'negative', 'undetermined', 'not-eligible', 'failed')),
    finding TEXT,
    UNIQUE (study_instance_uid, revision)
  ) STRICT;
  CREATE INDEX analysis_state ON analysis (state, due_at);

  CREATE TABLE result_object (
    sop_instance_uid TEXT PRIMARY KEY,
    analysis_id INTEGER NOT NULL REFERENCES analysis,
    kind TEXT NOT NULL,
    sop_class_uid TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    transfer_syntax_uid TEXT NOT NULL,
    file TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    fallback_for TEXT,
    created_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX result_object_analysis ON result_object (analysis_id);
  CREATE INDEX result_object_series ON result_object (series_instance_uid);

  CREATE TABLE delivery (
    delivery_id INTEGER PRIMARY KEY,
    sop_instance_uid TEXT NOT NULL REFERENCES result_object,
    destination TEXT NOT NULL,
    route TEXT NOT NULL,
    -- Lower goes first.
    priority INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'sending', 'delivered', 'replaced', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    settled_at INTEGER,
    -- The destination's own C-STORE status, and what it or we said of the last attempt.
    status INTEGER,
    failure_code TEXT,
    comment TEXT,
    UNIQUE (sop_instance_uid, destination)
  ) STRICT;
  CREATE INDEX delivery_due ON delivery (destination, priority, delivery_id) WHERE state = 'due';

  CREATE TABLE event (
    event_id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    study_instance_uid TEXT,
    series_instance_uid TEXT,
    association_id INTEGER,
    detail TEXT NOT NULL DEFAULT '{}'
  ) STRICT;
  CREATE INDEX event_study ON event (study_instance_uid) WHERE study_instance_uid IS NOT NULL;
  CREATE INDEX event_at ON event (at);
  `,

  // Deliveries that the destination has yet to be asked about, and those that a person has given up.
  `
  CREATE TABLE delivery_new (
    delivery_id INTEGER PRIMARY KEY,
    sop_instance_uid TEXT NOT NULL REFERENCES result_object,
    destination TEXT NOT NULL,
    route TEXT NOT NULL,
    -- Lower goes first.
    priority INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'sending', 'stored', 'delivered', 'replaced', 'dead', 'abandoned')),
    created_at INTEGER NOT NULL,
    -- Times that it was sent, and times that the destination said it had it not.
    attempts INTEGER NOT NULL DEFAULT 0,
    looks INTEGER NOT NULL DEFAULT 0,
    -- When it is sent next, or in state stored when the destination is asked for it.
    due_at INTEGER NOT NULL,
    settled_at INTEGER,
    -- The destination's own status, and what it or we said of the last attempt.
    status INTEGER,
    failure_class TEXT CHECK (failure_class IN ('transient', 'ambiguous', 'permanent')),
    failure_code TEXT,
    comment TEXT,
    UNIQUE (sop_instance_uid, destination)
  ) STRICT;
  INSERT INTO delivery_new (delivery_id, sop_instance_uid, destination, route, priority, state, created_at, attempts,
                            due_at, settled_at, status, failure_code, comment)
    SELECT d.delivery_id, d.sop_instance_uid, d.destination, d.route,
      d.priority * 4 + CASE r.kind WHEN 'sr' THEN 0 WHEN 'heatmap' THEN 1 WHEN 'summary' THEN 2 ELSE 3 END,
      d.state, r.created_at, d.attempts, d.due_at, d.settled_at, d.status, d.failure_code, d.comment
    FROM delivery d JOIN result_object r USING (sop_instance_uid);
  DROP TABLE delivery;
  ALTER TABLE delivery_new RENAME TO delivery;
  CREATE INDEX delivery_due ON delivery (destination, priority, delivery_id) WHERE state = 'due';
  CREATE INDEX delivery_stored ON delivery (destination, due_at) WHERE state = 'stored';
  CREATE INDEX delivery_open ON delivery (destination, state) WHERE state NOT IN ('delivered', 'replaced', 'abandoned');
  `,

  `
  -- Files that are not as their rows say, and files that no row names.
  CREATE TABLE damage (
    file TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('instance', 'conflict', 'result')),
    problem TEXT NOT NULL CHECK (problem IN ('missing', 'truncated', 'altered', 'unreadable', 'orphan')),
    study_instance_uid TEXT,
    sop_instance_uid TEXT,
    found_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX damage_study ON damage (study_instance_uid);

  -- How far the check of all files has come; one row.
  CREATE TABLE verification (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    started_at INTEGER NOT NULL,
    phase TEXT NOT NULL CHECK (phase IN ('instance', 'conflict', 'result', 'orphan')),
    after TEXT NOT NULL,
    files INTEGER NOT NULL,
    bytes INTEGER NOT NULL,
    finished_at INTEGER
  ) STRICT;
  `,

  // Images that contradict what came before them are kept apart from those that are read. Those that older versions
  // stored with their series become rows of `conflict` alone, and their studies are chosen from again.
  `
  ALTER TABLE study ADD COLUMN issuer_key TEXT;
  ALTER TABLE study ADD COLUMN birth_date_key TEXT;
  ALTER TABLE study ADD COLUMN sex_key TEXT;

  CREATE TABLE conflict_new (
    conflict_id INTEGER PRIMARY KEY,
    sop_instance_uid TEXT NOT NULL,
    -- The study that the image names, and the one that had its UIDs first, which may be the same.
    study_instance_uid TEXT NOT NULL,
    first_study_instance_uid TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('study-patient', 'instance-patient', 'series-study', 'instance-study',
                                       'instance-series', 'instance-bytes', 'instance-header', 'report-refiled')),
    sha256 TEXT NOT NULL,
    -- NULL where it is about an object that is stored elsewhere.
    file TEXT,
    header TEXT,
    association_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    -- When a person took note.
    settled_at INTEGER,
    UNIQUE (sop_instance_uid, kind, sha256)
  ) STRICT;
  INSERT INTO conflict_new (conflict_id, sop_instance_uid, study_instance_uid, first_study_instance_uid, kind, sha256,
                            file, header, association_id, received_at)
    SELECT c.conflict_id, c.sop_instance_uid, c.study_instance_uid,
      coalesce(s.study_instance_uid, c.study_instance_uid), c.kind, c.sha256, coalesce(c.file, i.file),
      json_set(i.header, '$.patient', json_object('id', i.header ->> '$.patientKey')), c.association_id, c.received_at
    FROM conflict c LEFT JOIN instance i ON i.sop_instance_uid = c.sop_instance_uid AND i.sha256 = c.sha256
      LEFT JOIN series s USING (series_instance_uid);
  DROP TABLE conflict;
  ALTER TABLE conflict_new RENAME TO conflict;
  CREATE INDEX conflict_study ON conflict (study_instance_uid);
  CREATE INDEX conflict_first_study ON conflict (first_study_instance_uid);
  CREATE INDEX conflict_open ON conflict (received_at) WHERE settled_at IS NULL;

  DELETE FROM instance WHERE sop_instance_uid IN
    (SELECT sop_instance_uid FROM conflict WHERE kind IN ('study-patient', 'series-study'));
  UPDATE series SET instances =
    (SELECT count(*) FROM instance i WHERE i.series_instance_uid = series.series_instance_uid);
  DELETE FROM series WHERE instances = 0;
  UPDATE study SET selection_due_at = coalesce(selection_due_at, last_instance_at) WHERE study_instance_uid IN
    (SELECT study_instance_uid FROM conflict WHERE kind <> 'instance-bytes'
     UNION SELECT first_study_instance_uid FROM conflict WHERE kind <> 'instance-bytes');
  `,

  // Storage commitment that scanners ask for.
  `
  CREATE TABLE commitment (
    transaction_uid TEXT PRIMARY KEY,
    association_id INTEGER NOT NULL,
    calling_ae_title TEXT NOT NULL,
    called_ae_title TEXT NOT NULL,
    requested_at INTEGER NOT NULL,
    instances INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('due', 'reported', 'dead')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    settled_at INTEGER,
    -- How many instances could not be committed to when last looked at.
    failed INTEGER,
    failure_code TEXT
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX commitment_due ON commitment (due_at) WHERE state = 'due';

  CREATE TABLE commitment_instance (
    transaction_uid TEXT NOT NULL REFERENCES commitment ON DELETE CASCADE,
    sop_instance_uid TEXT NOT NULL,
    sop_class_uid TEXT NOT NULL,
    -- Failure Reason (0008,1197), 0 where committed; NULL until it is looked at.
    failure_reason INTEGER,
    PRIMARY KEY (transaction_uid, sop_instance_uid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX commitment_instance_uid ON commitment_instance (sop_instance_uid);
  `,

  `
  -- Associations that have carried an instance again, for instances whose first one had not been released by then.
  CREATE TABLE repetition (
    sop_instance_uid TEXT NOT NULL REFERENCES instance ON DELETE CASCADE,
    association_id INTEGER NOT NULL,
    PRIMARY KEY (sop_instance_uid, association_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX repetition_association ON repetition (association_id);
  `,

  // Storage commitment that destinations are asked for.
  `
  -- Of the request whose report a delivery in state stored waits for; due_at is when it is overdue then.
  ALTER TABLE delivery ADD COLUMN transaction_uid TEXT;

  -- Earlier requests too: their reports may come late.
  CREATE TABLE asked_commitment (
    transaction_uid TEXT NOT NULL,
    delivery_id INTEGER NOT NULL REFERENCES delivery ON DELETE CASCADE,
    PRIMARY KEY (transaction_uid, delivery_id)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX asked_commitment_delivery ON asked_commitment (delivery_id);
  `,

  `
  -- Series that the inference process was lost with: what has used up its tries is not given to it any more.
  CREATE TABLE lost_try (
    series_instance_uid TEXT PRIMARY KEY REFERENCES series ON DELETE CASCADE,
    -- Times that the process was lost with the series in its hands, and times that the node ended meanwhile.
    losses INTEGER NOT NULL DEFAULT 0,
    cut_offs INTEGER NOT NULL DEFAULT 0,
    -- What the process died of the last time.
    code TEXT,
    text TEXT
  ) STRICT, WITHOUT ROWID;
  `,

  // Modality performed procedure steps.
  `
  CREATE TABLE performed_step (
    step_uid TEXT PRIMARY KEY,
    study_instance_uid TEXT NOT NULL,
    calling_ae_title TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('in-progress', 'completed', 'discontinued')),
    -- Whether its end has a date and a time.
    has_end INTEGER NOT NULL,
    -- That its series name.
    instances INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX performed_step_study ON performed_step (study_instance_uid);

  CREATE TABLE performed_series (
    step_uid TEXT NOT NULL REFERENCES performed_step ON DELETE CASCADE,
    series_instance_uid TEXT NOT NULL,
    PRIMARY KEY (step_uid, series_instance_uid)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX performed_series_uid ON performed_series (series_instance_uid);

  CREATE TABLE performed_instance (
    step_uid TEXT NOT NULL,
    series_instance_uid TEXT NOT NULL,
    sop_instance_uid TEXT NOT NULL,
    PRIMARY KEY (step_uid, series_instance_uid, sop_instance_uid),
    FOREIGN KEY (step_uid, series_instance_uid) REFERENCES performed_series ON DELETE CASCADE
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX performed_instance_series ON performed_instance (series_instance_uid);
  `,

  `
  -- Which routes held for the study and what they led to, as JSON.
  ALTER TABLE analysis ADD COLUMN routing TEXT;
  -- What a route insists on; NULL where the object goes as the destination takes it. Objects of kind 'original' are
  -- instances as they were received: their file and checksum are those of the instance.
  ALTER TABLE delivery ADD COLUMN transfer_syntax TEXT;
  `,

  `
  -- Times that the destination could not be asked for what it had stored.
  ALTER TABLE delivery ADD COLUMN unasked INTEGER NOT NULL DEFAULT 0;
  `,

  // The list of studies as people read and search it. Triggers keep it as true as what it is made from.
  `
  CREATE TABLE worklist (
    -- In the order of arrival.
    number INTEGER PRIMARY KEY,
    study_instance_uid TEXT NOT NULL UNIQUE REFERENCES study ON DELETE CASCADE,
    received_at INTEGER NOT NULL,
    -- Whether what follows has been read from a file of the study.
    labelled INTEGER NOT NULL DEFAULT 0 CHECK (labelled IN (0, 1)),
    patient_name TEXT,
    patient_id TEXT,
    birth_date TEXT,
    sex TEXT,
    accession_number TEXT,
    study_description TEXT,
    -- Of the newest finding.
    outcome TEXT,
    probability REAL,
    leading_class TEXT
  ) STRICT;
  CREATE INDEX worklist_received ON worklist (received_at);
  CREATE INDEX worklist_outcome ON worklist (outcome);
  CREATE INDEX worklist_unlabelled ON worklist (number) WHERE labelled = 0;

  CREATE VIRTUAL TABLE worklist_text USING fts5 (
    patient_name, patient_id, accession_number, study_description,
    content = 'worklist', content_rowid = 'number', tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
  );
  CREATE TRIGGER worklist_labelled AFTER UPDATE OF labelled ON worklist WHEN NEW.labelled = 1 AND OLD.labelled = 0 BEGIN
    INSERT INTO worklist_text (rowid, patient_name, patient_id, accession_number, study_description)
    VALUES (NEW.number, NEW.patient_name, NEW.patient_id, NEW.accession_number, NEW.study_description);
  END;
  CREATE TRIGGER worklist_removed AFTER DELETE ON worklist WHEN OLD.labelled = 1 BEGIN
    INSERT INTO worklist_text (worklist_text, rowid, patient_name, patient_id, accession_number, study_description)
    VALUES ('delete', OLD.number, OLD.patient_name, OLD.patient_id, OLD.accession_number, OLD.study_description);
  END;

  CREATE TRIGGER study_listed AFTER INSERT ON study BEGIN
    INSERT INTO worklist (study_instance_uid, received_at) VALUES (NEW.study_instance_uid, NEW.created_at);
  END;
  INSERT INTO worklist (study_instance_uid, received_at)
    SELECT study_instance_uid, created_at FROM study ORDER BY created_at;

  CREATE VIEW newest_finding AS
    SELECT a.study_instance_uid, a.outcome,
      (SELECT value ->> '$.probability' FROM json_each(a.finding, '$.classes')
       WHERE value ->> '$.name' = 'any') AS probability,
      (SELECT value ->> '$.name' FROM json_each(a.finding, '$.classes')
       WHERE a.outcome IN ('positive', 'undetermined') AND value ->> '$.name' <> 'any'
       ORDER BY value ->> '$.probability' DESC LIMIT 1) AS leading_class
    FROM analysis a WHERE a.finding IS NOT NULL AND NOT EXISTS (
      SELECT 1 FROM analysis b WHERE b.study_instance_uid = a.study_instance_uid AND b.revision > a.revision
        AND b.finding IS NOT NULL);
  UPDATE worklist SET (outcome, probability, leading_class) =
    (SELECT outcome, probability, leading_class FROM newest_finding f
     WHERE f.study_instance_uid = worklist.study_instance_uid);
  CREATE TRIGGER analysis_found AFTER UPDATE OF finding ON analysis WHEN NEW.finding IS NOT NULL BEGIN
    UPDATE worklist SET (outcome, probability, leading_class) =
      (SELECT outcome, probability, leading_class FROM newest_finding WHERE study_instance_uid = NEW.study_instance_uid)
    WHERE study_instance_uid = NEW.study_instance_uid;
  END;
  -- A rebuilt catalog gets its analyses whole.
  CREATE TRIGGER analysis_restored AFTER INSERT ON analysis WHEN NEW.finding IS NOT NULL BEGIN
    UPDATE worklist SET (outcome, probability, leading_class) =
      (SELECT outcome, probability, leading_class FROM newest_finding WHERE study_instance_uid = NEW.study_instance_uid)
    WHERE study_instance_uid = NEW.study_instance_uid;
  END;

  CREATE INDEX association_opened ON association (opened_at);
  `,
  `
  -- Models that read each series too, once its report is made, as configured at the last start.
  CREATE TABLE second_reader (name TEXT PRIMARY KEY) STRICT, WITHOUT ROWID;

  CREATE TABLE second_reading (
    analysis_id INTEGER NOT NULL REFERENCES analysis ON DELETE CASCADE,
    reader TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'due' CHECK (state IN ('due', 'read')),
    attempts INTEGER NOT NULL DEFAULT 0,
    due_at INTEGER NOT NULL,
    read_at INTEGER,
    outcome TEXT,
    finding TEXT,
    PRIMARY KEY (analysis_id, reader)
  ) STRICT;
  CREATE INDEX second_reading_due ON second_reading (reader, due_at) WHERE state = 'due';
  CREATE INDEX second_reading_read ON second_reading (read_at) WHERE state = 'read';

  CREATE TRIGGER analysis_reported AFTER UPDATE OF state ON analysis
  WHEN NEW.state = 'reported' AND OLD.state <> 'reported' AND NEW.series_instance_uid IS NOT NULL BEGIN
    INSERT INTO second_reading (analysis_id, reader, due_at)
      SELECT NEW.analysis_id, name, NEW.reported_at FROM second_reader WHERE true ON CONFLICT DO NOTHING;
  END;
  `,
  `
  -- Rows of 1 KB and more: without a rowid each needs a page of its own for what does not fit beside its key.
  CREATE TABLE instance_new (
    sop_instance_uid TEXT NOT NULL PRIMARY KEY,
    series_instance_uid TEXT NOT NULL REFERENCES series,
    sop_class_uid TEXT NOT NULL,
    transfer_syntax_uid TEXT NOT NULL,
    -- SHA-256 of the dataset's bytes as received, in hex.
    sha256 TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    file TEXT NOT NULL,
    association_id INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    header TEXT NOT NULL
  ) STRICT;
  INSERT INTO instance_new SELECT sop_instance_uid, series_instance_uid, sop_class_uid, transfer_syntax_uid, sha256, bytes,
    file, association_id, received_at, header FROM instance;
  DROP TABLE instance;
  ALTER TABLE instance_new RENAME TO instance;
  CREATE INDEX instance_series ON instance (series_instance_uid);
  `,
  `
  CREATE INDEX commitment_dead ON commitment (state) WHERE state = 'dead';
  `,
];
