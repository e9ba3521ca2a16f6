# syntax=docker/dockerfile:1
# The controller, as an ECS service of its own: non-root, read-only root file system.
ARG BASE=python:3.13-slim-bookworm
FROM ${BASE} AS build
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY controller ./controller
RUN python -m venv /opt/logroute \
 && /opt/logroute/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM ${BASE}
RUN apt-get update \
 && apt-get install -y --no-install-recommends git openssh-client \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /nonexistent --no-create-home logroute
COPY --from=build /opt/logroute /opt/logroute
ENV PATH=/opt/logroute/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 XDG_CACHE_HOME=/tmp
USER 10001
EXPOSE 9090
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9090/healthz', timeout=4)"]
ENTRYPOINT ["logroute"]
CMD ["run"]
