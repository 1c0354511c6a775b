# Two stages: the first builds a wheel and an environment, the second only runs it, as a user without rights.
FROM python:3.13-slim-trixie AS build
WORKDIR /src
# What compiles the query path (decision 31); none of it is in the image.
RUN apt-get update \
 && apt-get install -y --no-install-recommends gcc libc6-dev \
 && rm -rf /var/lib/apt/lists/*
COPY pyproject.toml hatch_build.py requirements.lock README.md LICENSE ./
COPY sinkhole ./sinkhole
COPY blocklists ./blocklists
COPY migrations ./migrations
RUN python -m venv /opt/sinkhole \
 && /opt/sinkhole/bin/pip install --no-cache-dir --require-hashes -r requirements.lock \
 && SINKHOLE_COMPILE=release /opt/sinkhole/bin/pip install --no-cache-dir --no-deps .

FROM python:3.13-slim-trixie
LABEL org.opencontainers.image.title="sinkhole" \
      org.opencontainers.image.description="A DNS resolver that shows who talks to which AI vendor, and stops what policy forbids." \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 5300 --home-dir /var/lib/sinkhole --create-home --shell /usr/sbin/nologin sinkhole
COPY --from=build /opt/sinkhole /opt/sinkhole
ENV PATH="/opt/sinkhole/bin:$PATH" \
    SINKHOLE_DATA_DIR=/var/lib/sinkhole \
    PYTHONUNBUFFERED=1
USER 5300
VOLUME /var/lib/sinkhole
# Unprivileged inside; publish it as 53: docker run -p 53:5300/udp -p 53:5300/tcp
EXPOSE 5300/udp 5300/tcp
STOPSIGNAL SIGTERM
# A real query over the network stack, answered by a worker.
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 CMD ["sinkhole", "doctor", "--only", "query"]
ENTRYPOINT ["sinkhole"]
CMD ["serve"]
