# Two stages: the first builds a virtual environment from the hash-locked requirements, the second runs it as a plain user.
FROM python:3.13-slim AS build
WORKDIR /src
RUN python -m venv /opt/digest
COPY requirements.lock ./
RUN /opt/digest/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY digest digest
COPY templates templates
COPY config config
RUN /opt/digest/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /srv/digest --create-home digest \
 && install -d -o digest -g digest /srv/digest/var
COPY --from=build /opt/digest /opt/digest
COPY --from=build --chown=digest:digest /src/config /srv/digest/config
RUN rm -rf /srv/digest/config/demo
ENV PATH=/opt/digest/bin:$PATH DIGEST_HOME=/srv/digest DIGEST_SERVER__HOST=0.0.0.0 PYTHONUNBUFFERED=1
USER digest
WORKDIR /srv/digest
VOLUME /srv/digest/var
EXPOSE 8080
HEALTHCHECK --interval=60s --timeout=5s --start-period=30s \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["digest", "serve"]
