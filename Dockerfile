# syntax=docker/dockerfile:1
# The controller, for an ECS service of its own: it runs as nobody in particular, on a root file system that may be read-only.
#
# Everything is Amazon Linux 2023. What the controller needs of it is installed into a root of its own, and AWS's image of Fluent
# Bit goes on top, so that the engine which tries configs finds the very libraries that it was built with.
ARG BASE=public.ecr.aws/amazonlinux/amazonlinux:2023.10.20260120.4@sha256:50a58a006d3381e38160fc5bb4bbefa68b74fcd70dde798f68667aac24312f20
ARG FLUENT_BIT_IMAGE=public.ecr.aws/aws-observability/aws-for-fluent-bit:3.4.15
ARG RELEASE=2023.10.20260120

FROM ${FLUENT_BIT_IMAGE} AS fluent-bit

# The repository of a release never changes, which pins every package.
FROM ${BASE} AS build
ARG RELEASE
# hadolint ignore=DL3041
RUN dnf install -y --releasever=${RELEASE} --setopt=install_weak_deps=False python3.11 python3.11-pip \
 && dnf clean all
WORKDIR /src
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY controller ./controller
RUN python3.11 -m venv /opt/logroute \
 && /opt/logroute/bin/python -m pip install --no-cache-dir --constraint constraints.txt . \
 && /opt/logroute/bin/python -m pip uninstall --yes pip setuptools

FROM ${BASE} AS root
ARG RELEASE
# hadolint ignore=DL3041
RUN mkdir /root-of-it \
 && dnf install -y --installroot /root-of-it --releasever=${RELEASE} --setopt=install_weak_deps=False \
    ca-certificates git-core gnupg2-minimal openssh-clients python3.11 tzdata \
 && dnf clean all --installroot /root-of-it \
 && rm -rf /root-of-it/var/cache/*
COPY --from=fluent-bit / /root-of-it/
# ssh refuses to work for a user without a name.
RUN echo 'logroute:x:10001:10001:LogRoute:/tmp:/sbin/nologin' >> /root-of-it/etc/passwd \
 && echo 'logroute:x:10001:' >> /root-of-it/etc/group
COPY --from=build /opt/logroute /root-of-it/opt/logroute

FROM scratch
COPY --from=root /root-of-it/ /
ENV PATH=/opt/logroute/bin:/usr/bin:/bin \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    XDG_CACHE_HOME=/tmp \
    LOGROUTE_FLUENT_BIT='{"5.0.9": "/fluent-bit/bin/fluent-bit"}'
USER 10001:10001
# Fargate mounts a volume here that is root's own, unless the image has one at the same path: then its rights (1777) are taken over.
VOLUME ["/tmp"]
EXPOSE 9090
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
  CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:9090/healthz', timeout=4)"]
ENTRYPOINT ["logroute"]
CMD ["run"]
