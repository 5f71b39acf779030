BEGIN TRANSACTION;
CREATE TABLE candidates (
	exam_id TEXT NOT NULL, 
	number TEXT NOT NULL, 
	name TEXT NOT NULL, 
	class_name TEXT NOT NULL, 
	school TEXT NOT NULL, 
	identifiers JSON NOT NULL, 
	position INTEGER NOT NULL, 
	PRIMARY KEY (exam_id, number), 
	FOREIGN KEY(exam_id) REFERENCES exams (id)
);
INSERT INTO "candidates" VALUES('DEMO','0001','张三','1班','一中','{"\u8003\u573a": "3"}',0);
INSERT INTO "candidates" VALUES('DEMO','0002','=1+1','2班','一中','{}',1);
CREATE TABLE decisions (
	id INTEGER NOT NULL, 
	exam_id TEXT NOT NULL, 
	candidate TEXT NOT NULL, 
	field TEXT NOT NULL, 
	value TEXT NOT NULL, 
	sha256 TEXT NOT NULL, 
	page_index INTEGER NOT NULL, 
	decided_by TEXT NOT NULL, 
	decided_at DATETIME NOT NULL, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(exam_id) REFERENCES exams (id)
);
INSERT INTO "decisions" VALUES(1,'DEMO','0001','absent','','hash of scans/1-again.jpg',0,'office','2026-11-03 08:00:00.000000','looked');
CREATE TABLE exams (
	id TEXT NOT NULL, 
	title TEXT NOT NULL, 
	subject TEXT NOT NULL, 
	grade TEXT NOT NULL, 
	date DATE, 
	language TEXT NOT NULL, 
	full_mark INTEGER NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "exams" VALUES('DEMO','期中考试','数学','八年级','2026-11-02','zh',250);
CREATE TABLE pages (
	id INTEGER NOT NULL, 
	exam_id TEXT NOT NULL, 
	path TEXT NOT NULL, 
	page_index INTEGER NOT NULL, 
	sha256 TEXT NOT NULL, 
	layout_version TEXT NOT NULL, 
	status TEXT NOT NULL, 
	message TEXT NOT NULL, 
	candidate TEXT NOT NULL, 
	serial TEXT NOT NULL, 
	page_number INTEGER NOT NULL, 
	contested JSON NOT NULL, 
	width_px INTEGER, 
	height_px INTEGER, 
	dpi FLOAT, 
	registration JSON, 
	codes JSON, 
	PRIMARY KEY (id), 
	UNIQUE (exam_id, path, page_index, sha256), 
	FOREIGN KEY(exam_id) REFERENCES exams (id)
);
INSERT INTO "pages" VALUES(1,'DEMO','scans/1.jpg',0,'hash of scans/1.jpg','AA','duplicate page','another image of the page in scans/1-again.jpg page 1, with the same answers. Nothing needs to be done.','0001','',0,'[]',1654,2339,200.25,'{"orientation_deg": 180, "homography": [7.8, 0.0, 1.5, 0.0, 7.9, 2.5, 0.0, 1e-06, 1.0], "residual_mm": 0.05, "anchors_found": 30, "anchors_expected": 32, "shifts": {"x_mm": [0.0, 210.0], "y_mm": [0.0], "dx_mm": [0.1, 0.2], "dy_mm": [0.0, -0.1]}}','[{"field": "page", "text": "IM1:DEMO", "format": "QRCode", "box_px": {"x": 0.0, "y": 0.0, "w": 9.0, "h": 9.0}}]');
INSERT INTO "pages" VALUES(2,'DEMO','scans/2.jpg',0,'hash of scans/2.jpg','AA','read','','0002','',0,'[]',1654,2339,200.25,'{"orientation_deg": 180, "homography": [7.8, 0.0, 1.5, 0.0, 7.9, 2.5, 0.0, 1e-06, 1.0], "residual_mm": 0.05, "anchors_found": 30, "anchors_expected": 32, "shifts": null}','[{"field": "page", "text": "IM1:DEMO", "format": "QRCode", "box_px": {"x": 0.0, "y": 0.0, "w": 9.0, "h": 9.0}}]');
INSERT INTO "pages" VALUES(3,'DEMO','scans/1-again.jpg',0,'hash of scans/1-again.jpg','AA','read','','0001','',0,'[]',1654,2339,200.25,'{"orientation_deg": 180, "homography": [7.8, 0.0, 1.5, 0.0, 7.9, 2.5, 0.0, 1e-06, 1.0], "residual_mm": 0.05, "anchors_found": 30, "anchors_expected": 32, "shifts": {"x_mm": [0.0, 210.0], "y_mm": [0.0], "dx_mm": [0.1, 0.2], "dy_mm": [0.0, -0.1]}}','[{"field": "page", "text": "IM1:DEMO", "format": "QRCode", "box_px": {"x": 0.0, "y": 0.0, "w": 9.0, "h": 9.0}}]');
INSERT INTO "pages" VALUES(4,'DEMO','scans/9.jpg',0,'hash of scans/9.jpg','AA','unregistered','no anchors. Scan it again.','0002','',0,'[]',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "pages" VALUES(5,'DEMO','scans/8.jpg',0,'','AA','unreadable file','truncated. Scan it again.','','',-1,'[]',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE readings (
	id INTEGER NOT NULL, 
	page_id INTEGER NOT NULL, 
	field TEXT NOT NULL, 
	value TEXT NOT NULL, 
	confidence FLOAT NOT NULL, 
	flag TEXT NOT NULL, 
	fill JSON NOT NULL, 
	x_px FLOAT NOT NULL, 
	y_px FLOAT NOT NULL, 
	w_px FLOAT NOT NULL, 
	h_px FLOAT NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(page_id) REFERENCES pages (id) ON DELETE CASCADE
);
INSERT INTO "readings" VALUES(1,1,'Q1','A',0.98,'','[0.9, 0.0]',10.5,20.0,80.0,20.0);
INSERT INTO "readings" VALUES(2,1,'absent','',0.99,'doubtful','[0.3]',1.0,2.0,3.0,4.0);
INSERT INTO "readings" VALUES(3,2,'Q1','B',0.98,'','[0.9, 0.0]',10.5,20.0,80.0,20.0);
INSERT INTO "readings" VALUES(4,2,'absent','',0.99,'doubtful','[0.3]',1.0,2.0,3.0,4.0);
INSERT INTO "readings" VALUES(5,3,'Q1','A',0.98,'','[0.9, 0.0]',10.5,20.0,80.0,20.0);
INSERT INTO "readings" VALUES(6,3,'absent','',0.99,'doubtful','[0.3]',1.0,2.0,3.0,4.0);
CREATE TABLE schema_info (
	version INTEGER NOT NULL, 
	PRIMARY KEY (version)
);
INSERT INTO "schema_info" VALUES(1);
CREATE TABLE scores (
	exam_id TEXT NOT NULL, 
	candidate TEXT NOT NULL, 
	item TEXT NOT NULL, 
	points INTEGER, 
	"full" INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	value TEXT NOT NULL, 
	rule TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	reading_id INTEGER, 
	decision_id INTEGER, 
	PRIMARY KEY (exam_id, candidate, item), 
	FOREIGN KEY(exam_id) REFERENCES exams (id), 
	FOREIGN KEY(reading_id) REFERENCES readings (id) ON DELETE SET NULL, 
	FOREIGN KEY(decision_id) REFERENCES decisions (id)
);
INSERT INTO "scores" VALUES('DEMO','0001','1',250,250,'scored','A','exact','A',5,NULL);
CREATE INDEX pages_by_candidate ON pages (exam_id, candidate, page_number);
CREATE INDEX decisions_by_field ON decisions (exam_id, candidate, field);
CREATE INDEX ix_readings_page_id ON readings (page_id);
COMMIT;
