PRAGMA application_id = 0x53494e4b;
CREATE TABLE admin_account (
	name VARCHAR(64) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	password TEXT NOT NULL, 
	totp TEXT, 
	totp_step INTEGER NOT NULL, 
	created INTEGER NOT NULL, 
	changed INTEGER NOT NULL, last_login INTEGER, 
	PRIMARY KEY (name)
);
CREATE TABLE admin_link (
	digest VARCHAR(64) NOT NULL, 
	role VARCHAR(16) NOT NULL, 
	maker TEXT NOT NULL, 
	ends INTEGER NOT NULL, 
	PRIMARY KEY (digest)
);
CREATE TABLE admin_recovery (
	account VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	PRIMARY KEY (account, digest), 
	FOREIGN KEY(account) REFERENCES admin_account (name) ON DELETE CASCADE
);
CREATE TABLE admin_session (
	digest VARCHAR(64) NOT NULL, 
	account VARCHAR(64) NOT NULL, 
	began INTEGER NOT NULL, 
	used INTEGER NOT NULL, 
	ends INTEGER NOT NULL, 
	address VARCHAR(64) NOT NULL, 
	PRIMARY KEY (digest), 
	FOREIGN KEY(account) REFERENCES admin_account (name) ON DELETE CASCADE
);
CREATE TABLE admin_token (
	name VARCHAR(64) NOT NULL, 
	digest VARCHAR(64) NOT NULL, 
	scopes TEXT NOT NULL, 
	maker TEXT NOT NULL, 
	created INTEGER NOT NULL, 
	ends INTEGER NOT NULL, 
	used INTEGER, 
	PRIMARY KEY (name), 
	UNIQUE (digest)
);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0015');
CREATE TABLE alert (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at INTEGER NOT NULL, 
	kind VARCHAR(32) NOT NULL, 
	cause TEXT NOT NULL, 
	text TEXT NOT NULL, 
	facts TEXT NOT NULL
);
CREATE TABLE alert_memory (
	kind VARCHAR(32) NOT NULL, 
	"key" TEXT NOT NULL, 
	value INTEGER NOT NULL, 
	PRIMARY KEY (kind, "key")
);
CREATE TABLE audit (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at INTEGER NOT NULL, 
	who TEXT NOT NULL, 
	what TEXT NOT NULL, 
	"before" TEXT, 
	"after" TEXT
, origin TEXT DEFAULT '' NOT NULL, digest VARCHAR(64));
CREATE TABLE candidate (
	domain TEXT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	reasons TEXT NOT NULL, 
	examples TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	first INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	is_by_name BOOLEAN NOT NULL, 
	product TEXT, 
	note TEXT, 
	PRIMARY KEY (domain)
);
CREATE TABLE candidate_client (
	domain TEXT NOT NULL, 
	client TEXT NOT NULL, 
	PRIMARY KEY (domain, client), 
	FOREIGN KEY(domain) REFERENCES candidate (domain) ON DELETE CASCADE
);
CREATE TABLE client (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	text TEXT NOT NULL, 
	first INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	groups TEXT NOT NULL, 
	mac TEXT, 
	names TEXT NOT NULL, 
	ids TEXT NOT NULL, 
	host TEXT, 
	UNIQUE (text)
);
CREATE TABLE client_group (
	name VARCHAR(64) NOT NULL, 
	"order" INTEGER NOT NULL, 
	answer TEXT, 
	PRIMARY KEY (name)
);
CREATE TABLE client_hour (
	hour INTEGER NOT NULL, 
	client INTEGER NOT NULL, 
	queries INTEGER NOT NULL, 
	alive BOOLEAN NOT NULL, 
	PRIMARY KEY (hour, client)
)
 WITHOUT ROWID

;
CREATE TABLE counter (
	name VARCHAR(64) NOT NULL, 
	value INTEGER NOT NULL, 
	PRIMARY KEY (name)
);
CREATE TABLE daily (
	day INTEGER NOT NULL, 
	vendor TEXT NOT NULL, 
	product TEXT NOT NULL, 
	"group" TEXT NOT NULL, 
	action INTEGER NOT NULL, 
	clients INTEGER NOT NULL, 
	attempts INTEGER NOT NULL, 
	hits INTEGER NOT NULL, 
	PRIMARY KEY (day, vendor, product, "group", action)
);
CREATE TABLE expectation (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	qtype VARCHAR(16) NOT NULL, 
	client VARCHAR(64), 
	"group" VARCHAR(64), 
	at INTEGER, 
	expect VARCHAR(16) NOT NULL, 
	"by" TEXT, 
	why TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE feed (
	name VARCHAR(64) NOT NULL, 
	url TEXT NOT NULL, 
	format VARCHAR(32) NOT NULL, 
	"match" VARCHAR(16) NOT NULL, 
	part_of_ai BOOLEAN NOT NULL, 
	enabled BOOLEAN NOT NULL, 
	allow_private BOOLEAN NOT NULL, 
	local BOOLEAN NOT NULL, 
	interval INTEGER, 
	licence TEXT, 
	homepage TEXT, 
	status VARCHAR(16) NOT NULL, 
	version INTEGER NOT NULL, 
	pending_version INTEGER, 
	sha256 VARCHAR(64), 
	etag TEXT, 
	last_modified TEXT, 
	fetched_at INTEGER, 
	changed_at INTEGER, 
	next_due INTEGER, 
	failures INTEGER NOT NULL, 
	rules INTEGER NOT NULL, 
	rejected INTEGER NOT NULL, 
	message TEXT, "key" TEXT, 
	PRIMARY KEY (name)
);
CREATE TABLE "group_member" (
	"group" VARCHAR(64) NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY ("group", kind, value), 
	FOREIGN KEY("group") REFERENCES client_group (name) ON DELETE CASCADE
);
CREATE TABLE handover (
	worker VARCHAR(32) NOT NULL, 
	seq INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	PRIMARY KEY (worker)
);
CREATE TABLE hit (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	minute INTEGER NOT NULL, 
	client INTEGER NOT NULL, 
	name INTEGER NOT NULL, 
	qtype INTEGER NOT NULL, 
	action INTEGER NOT NULL, 
	"group" INTEGER, 
	vendor INTEGER, 
	product INTEGER, 
	feed INTEGER, 
	subject INTEGER, 
	count INTEGER NOT NULL, 
	first INTEGER NOT NULL, 
	last INTEGER NOT NULL
);
CREATE TABLE out_cursor (
	receiver VARCHAR(32) NOT NULL, 
	what VARCHAR(16) NOT NULL, 
	position INTEGER NOT NULL, 
	sent INTEGER NOT NULL, 
	lost INTEGER NOT NULL, 
	at INTEGER, 
	failing INTEGER, 
	why TEXT, 
	PRIMARY KEY (receiver, what)
);
CREATE TABLE override (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR(16) NOT NULL, 
	subjects TEXT NOT NULL, 
	client VARCHAR(64), 
	"group" VARCHAR(64), 
	reason TEXT, 
	owner TEXT, 
	begins INTEGER NOT NULL, 
	ends INTEGER NOT NULL, 
	ended INTEGER, 
	token VARCHAR(64), 
	UNIQUE (token)
);
CREATE TABLE policy_exception (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	subject TEXT NOT NULL, 
	client VARCHAR(64), 
	"group" VARCHAR(64), 
	reason TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	ticket TEXT, 
	state VARCHAR(16) NOT NULL, 
	approver TEXT, 
	created INTEGER NOT NULL, 
	decided INTEGER, 
	expires INTEGER NOT NULL
);
CREATE TABLE slot_change (
	change INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	slot INTEGER NOT NULL, 
	UNIQUE (slot)
);
CREATE TABLE span (
	hours INTEGER NOT NULL, 
	"begin" INTEGER NOT NULL, 
	window INTEGER NOT NULL, 
	labels VARCHAR(16) NOT NULL, 
	serial INTEGER NOT NULL, 
	PRIMARY KEY (hours, "begin")
)
 WITHOUT ROWID

;
CREATE TABLE span_sum (
	"by" INTEGER NOT NULL, 
	hours INTEGER NOT NULL, 
	"begin" INTEGER NOT NULL, 
	"key" INTEGER NOT NULL, 
	part INTEGER NOT NULL, 
	attempts INTEGER NOT NULL, 
	hits INTEGER NOT NULL, 
	blocked INTEGER NOT NULL, 
	coached INTEGER NOT NULL, 
	first INTEGER NOT NULL, 
	last INTEGER NOT NULL, 
	clients BLOB, 
	PRIMARY KEY ("by", hours, "begin", "key", part)
)
 WITHOUT ROWID

;
CREATE TABLE "statement" (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	subject TEXT NOT NULL, 
	action VARCHAR(16) NOT NULL, 
	"group" VARCHAR(64), 
	reason TEXT, 
	owner TEXT, 
	ticket TEXT, 
	expires INTEGER, 
	schedule TEXT DEFAULT '' NOT NULL, basis VARCHAR(16), 
	UNIQUE (subject, "group", schedule), 
	FOREIGN KEY("group") REFERENCES client_group (name) ON DELETE CASCADE
);
CREATE TABLE sync_run (
	id INTEGER NOT NULL, 
	at INTEGER NOT NULL, 
	feed VARCHAR(64) NOT NULL, 
	status VARCHAR(16) NOT NULL, 
	took_ms INTEGER NOT NULL, 
	rules INTEGER NOT NULL, 
	message TEXT, 
	PRIMARY KEY (id)
);
CREATE TABLE word (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	text TEXT NOT NULL, 
	used INTEGER NOT NULL, 
	UNIQUE (text)
);
CREATE INDEX hit_minute ON hit (minute);
CREATE INDEX sync_run_feed ON sync_run (feed, at);
CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_no_replace BEFORE INSERT ON audit WHEN EXISTS (SELECT 1 FROM audit WHERE id = NEW.id) BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE UNIQUE INDEX statement_for_all ON statement (subject, schedule) WHERE "group" IS NULL;
CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'the audit log is append-only'); END;
CREATE INDEX alert_cause ON alert (kind, cause, at);
CREATE INDEX hit_client ON hit (client, minute);
DELETE FROM "sqlite_sequence";
