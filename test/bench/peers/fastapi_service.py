"""The same service as FastAPI, Celery, Redis and Pillow would have it: upload, state and result of images.

`app` is for uvicorn, `tasks` for Celery. From the environment: PLACE, a folder for all files; REDIS, the address of the
queue; SECRET of the tokens.
"""

import io
import json
import os
import sqlite3
from datetime import datetime, timezone
from uuid import uuid4

import jwt
from celery import Celery
from fastapi import Depends, FastAPI, File, Form, Header, HTTPException, UploadFile
from PIL import Image, ImageOps

PLACE = os.environ["PLACE"]
SIZES = {"thumbnail": 150, "medium": 600, "large": 1200, "original": 4096}
PRESETS = {"archive": list(SIZES), "web": ["thumbnail", "medium", "large"]}
MAGIC = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
LARGEST = 10_000_000

os.makedirs(os.path.join(PLACE, "staging"), exist_ok=True)
database = sqlite3.connect(os.path.join(PLACE, "service.db"), timeout=30, isolation_level=None)
database.row_factory = sqlite3.Row
database.execute("PRAGMA journal_mode = WAL")
database.executescript(
    """
    CREATE TABLE IF NOT EXISTS jobs (job_id TEXT PRIMARY KEY, image_id TEXT, owner TEXT, status TEXT, bucket TEXT,
      preset TEXT, staging_path TEXT, result TEXT, metadata TEXT, attempts INTEGER DEFAULT 0, error TEXT,
      created_at TEXT, completed_at TEXT);
    CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, event_type TEXT, image_id TEXT, job_id TEXT, created_at TEXT);
    """
)

tasks = Celery("tasks", broker=os.environ["REDIS"])
tasks.conf.task_ignore_result = True
app = FastAPI()


def now():
    return datetime.now(timezone.utc).isoformat()


def owner(authorization: str = Header("")):
    try:
        token = authorization.removeprefix("Bearer ")
        return jwt.decode(token, os.environ["SECRET"], algorithms=["HS256"])["sub"]
    except jwt.InvalidTokenError:
        raise HTTPException(401, "the token is not valid")


# Calls of a thread for each statement would take longer than the statements.
@app.post("/api/v1/images/upload", status_code=202)
async def upload(
    file: UploadFile = File(), bucket: str = Form(), metadata: str = Form("{}"), preset: str = Form("archive"),
    sub: str = Depends(owner),
):
    content = await file.read()
    json.loads(metadata)
    if len(content) > LARGEST:
        raise HTTPException(413, "the upload is too large")
    if not content.startswith(MAGIC):
        raise HTTPException(415, "not an image")
    job, image = str(uuid4()), str(uuid4())
    staged = os.path.join(PLACE, "staging", image)
    with open(staged, "wb") as target:
        target.write(content)
    with database:
        database.execute("BEGIN")
        database.execute(
            "INSERT INTO jobs (job_id, image_id, owner, status, bucket, preset, staging_path, metadata, created_at)"
            " VALUES (?, ?, ?, 'pending', ?, ?, ?, ?, ?)",
            (job, image, sub, bucket, preset, staged, metadata, now()),
        )
        note("upload_initiated", image, job)
    process.delay(job)
    message = "Upload accepted. Processing initiated."
    return {"job_id": job, "image_id": image, "status_url": f"/api/v1/images/jobs/{job}", "message": message}


@app.get("/api/v1/images/jobs/{job_id}")
async def status(job_id: str, sub: str = Depends(owner)):
    row = found(job_id, sub)
    return {key: row[key] for key in ("job_id", "image_id", "status", "created_at", "completed_at", "error", "attempts")}


@app.get("/api/v1/images/jobs/{job_id}/result")
async def result(job_id: str, sub: str = Depends(owner)):
    row = found(job_id, sub)
    if row["status"] != "completed":
        raise HTTPException(409, "the image is not processed yet")
    return json.loads(row["result"])


def found(job, sub):
    row = database.execute("SELECT * FROM jobs WHERE job_id = ? AND owner = ?", (job, sub)).fetchone()
    if row is None:
        raise HTTPException(404, "there is no such job")
    return row


def note(event, image, job):
    database.execute("INSERT INTO events VALUES (?, ?, ?, ?, ?)", (str(uuid4()), event, image, job, now()))


@tasks.task
def process(job):
    row = database.execute("SELECT * FROM jobs WHERE job_id = ?", (job,)).fetchone()
    with database:
        database.execute("BEGIN")
        database.execute("UPDATE jobs SET status = 'processing', attempts = attempts + 1 WHERE job_id = ?", (job,))
        note("processing_started", row["image_id"], job)
    made = None
    try:
        made = render(row)
        state, error = "completed", None
    except Exception as thrown:
        state, error = "failed", str(thrown)
    with database:
        database.execute("BEGIN")
        database.execute(
            "UPDATE jobs SET status = ?, error = ?, result = ?, completed_at = ? WHERE job_id = ?",
            (state, error, json.dumps(made), now(), job),
        )
        note(state, row["image_id"], job)
    os.remove(row["staging_path"])


def render(row):
    image = row["image_id"]
    with Image.open(row["staging_path"]) as source:
        pixels = ImageOps.exif_transpose(source).convert("RGB")
    red, green, blue = pixels.resize((1, 1), Image.BOX).getpixel((0, 0))
    urls, variants = {}, {}
    for variant in PRESETS[row["preset"]]:
        scaled = pixels.copy()
        scaled.thumbnail((SIZES[variant], pixels.height))
        key = f"{row['bucket']}/processed/{variant}/{image}_{variant}.webp"
        path = os.path.join(PLACE, "storage", key)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        encoded = io.BytesIO()
        scaled.save(encoded, "WEBP", quality=85)
        with open(path, "wb") as target:
            target.write(encoded.getbuffer())
        width, height = scaled.size
        urls[variant] = f"/storage/{key}"
        variants[variant] = {
            "width": width, "height": height, "aspect_ratio": width / height, "format": "webp",
            "size_bytes": encoded.getbuffer().nbytes,
        }
    return {
        "image_id": image,
        "status": "completed",
        "urls": urls,
        "metadata": {
            "dominant_color": f"#{red:02X}{green:02X}{blue:02X}",
            "original_dimensions": {"width": pixels.width, "height": pixels.height},
            "variants": variants,
        },
        "completed_at": now(),
    }
