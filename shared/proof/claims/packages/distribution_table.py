"""Distributions whose modules have other names than they have themselves, with all modules that are certain.

Written down on 2026-11-27 from the projects' own documentation and from the `RECORD` of the distributions on the
machine on which it was written; `tests/proof/test_distribution_modules.py` holds it against those that are installed.
"""

from collections.abc import Mapping

_LINES = """
amazon-textract-response-parser: trp
analytics-python: analytics
antlr4-python3-runtime: antlr4
apache-airflow: airflow
apache-beam: apache_beam
argon2-cffi: argon2
atlassian-python-api: atlassian
attrs: attr attrs
audioop-lts: audioop
aws-sam-translator: samtranslator
azure-cognitiveservices-speech: azure.cognitiveservices.speech
azure-core: azure.core
azure-cosmos: azure.cosmos
azure-functions: azure.functions
azure-identity: azure.identity
azure-keyvault-secrets: azure.keyvault.secrets
azure-servicebus: azure.servicebus
azure-storage-blob: azure.storage.blob
beautifulsoup4: bs4
biopython: Bio
cassandra-driver: cassandra
cfn-lint: cfnlint
cloud-sql-python-connector: google.cloud.sql.connector
confluent-kafka: confluent_kafka
cx-oracle: cx_Oracle
cython: Cython
daily-python: daily
databricks-sdk: databricks.sdk
databricks-sql-connector: databricks.sql
deepgram-sdk: deepgram
delta-spark: delta
discord-py: discord
django-allauth: allauth
django-anymail: anymail
django-cors-headers: corsheaders
django-crispy-forms: crispy_forms
django-debug-toolbar: debug_toolbar
django-environ: environ
django-filter: django_filters
django-guardian: guardian
django-haystack: haystack
django-import-export: import_export
django-model-utils: model_utils
django-mptt: mptt
django-ninja: ninja
django-oauth-toolkit: oauth2_provider
django-phonenumber-field: phonenumber_field
django-q2: django_q
django-silk: silk
django-storages: storages
django-taggit: taggit
djangorestframework: rest_framework
djangorestframework-simplejwt: rest_framework_simplejwt
dnspython: dns
elastic-apm: elasticapm
email-validator: email_validator
factory-boy: factory
faiss-cpu: faiss
faiss-gpu: faiss
ffmpeg-python: ffmpeg
file-magic: magic
firebase-admin: firebase_admin
flask-cors: flask_cors
fpdf2: fpdf
gevent-websocket: geventwebsocket
gitpython: git
google-adk: google.adk
google-ai-generativelanguage: google.ai.generativelanguage
google-api-core: google.api_core
google-api-python-client: googleapiclient
google-auth: google.auth google.oauth2
google-auth-httplib2: google_auth_httplib2
google-auth-oauthlib: google_auth_oauthlib
google-cloud-aiplatform: google.cloud.aiplatform vertexai
google-cloud-artifact-registry: google.cloud.artifactregistry
google-cloud-bigquery-storage: google.cloud.bigquery_storage_v1
google-cloud-build: google.cloud.devtools.cloudbuild_v1
google-cloud-monitoring: google.cloud.monitoring_v3
google-cloud-secret-manager: google.cloud.secretmanager
google-cloud-trace: google.cloud.trace_v2
google-crc32c: google_crc32c
google-genai: google.genai
google-generativeai: google.generativeai
google-pasta: pasta
google-re2: re2
google-resumable-media: google.resumable_media
google-search-results: serpapi
googleapis-common-protos: google.api google.rpc google.type
graphql-core: graphql
grpc-google-iam-v1: google.iam
grpcio: grpc
grpcio-channelz: grpc_channelz
grpcio-health-checking: grpc_health
grpcio-reflection: grpc_reflection
grpcio-status: grpc_status
grpcio-testing: grpc_testing
grpcio-tools: grpc_tools
haystack-ai: haystack
imbalanced-learn: imblearn
import-linter: importlinter
impyla: impala
instructorembedding: InstructorEmbedding
ipython: IPython
kafka-python: kafka
kafka-python-ng: kafka
langchain-google-genai: langchain_google_genai
launchdarkly-server-sdk: ldclient
legacy-cgi: cgi cgitb
levenshtein: Levenshtein
line-bot-sdk: linebot
livekit: livekit.rtc
livekit-agents: livekit.agents
livekit-api: livekit.api
llama-index-core: llama_index.core
logtail-python: logtail
markdown-it-py: markdown_it
matplotlib: matplotlib mpl_toolkits
mkdocs-material: material
msgpack-python: msgpack
mysql-connector-python: mysql.connector
mysql-python: MySQLdb
mysqlclient: MySQLdb
nats-py: nats
nvidia-ml-py: pynvml
odfpy: odf
onnxruntime-gpu: onnxruntime
openai-agents: agents
openai-whisper: whisper
opencv-contrib-python: cv2
opencv-contrib-python-headless: cv2
opencv-python: cv2
opencv-python-headless: cv2
opensearch-py: opensearchpy
opentelemetry-api: opentelemetry.trace opentelemetry.context opentelemetry.baggage
opentelemetry-exporter-gcp-monitoring: opentelemetry.exporter.cloud_monitoring
opentelemetry-exporter-gcp-trace: opentelemetry.exporter.cloud_trace
opentelemetry-exporter-otlp-proto-grpc: opentelemetry.exporter.otlp.proto.grpc
opentelemetry-exporter-otlp-proto-http: opentelemetry.exporter.otlp.proto.http
opentelemetry-instrumentation: opentelemetry.instrumentation.instrumentor
opentelemetry-propagator-gcp: opentelemetry.propagators.cloud_trace_propagator
opentelemetry-proto: opentelemetry.proto
opentelemetry-sdk: opentelemetry.sdk
opentelemetry-semantic-conventions: opentelemetry.semconv
paho-mqtt: paho.mqtt
pdfminer-six: pdfminer
peewee: peewee playhouse
pillow: PIL
pillow-simd: PIL
pinecone-client: pinecone
pip-tools: piptools
pipecat-ai: pipecat
proto-plus: proto
protobuf: google.protobuf
psycopg-binary: psycopg_binary
psycopg-c: psycopg_c
psycopg2: psycopg2
psycopg2-binary: psycopg2
py-cpuinfo: cpuinfo
pyannote-audio: pyannote.audio
pyasyncore: asyncore
pyaudio: pyaudio
pybars3: pybars
pycrypto: Crypto
pycryptodome: Crypto
pycryptodomex: Cryptodome
pygithub: github
pyhumps: humps
pyinstaller: PyInstaller
pyjwt: jwt
pymupdf: fitz pymupdf
pynacl: nacl
pyopenssl: OpenSSL
pypdf2: PyPDF2
pyqt5: PyQt5
pyrebase4: pyrebase
pyserial: serial
pyshp: shapefile
pyside6: PySide6
pysocks: socks
python-arango: arango
python-barcode: barcode
python-consul: consul
python-crontab: crontab
python-dateutil: dateutil
python-decouple: decouple
python-docx: docx
python-dotenv: dotenv
python-editor: editor
python-engineio: engineio
python-frontmatter: frontmatter
python-gitlab: gitlab
python-gnupg: gnupg
python-http-client: python_http_client
python-jenkins: jenkins
python-jose: jose
python-json-logger: pythonjsonlogger
python-keycloak: keycloak
python-ldap: ldap
python-levenshtein: Levenshtein
python-logstash: logstash
python-magic: magic
python-memcached: memcache
python-mimeparse: mimeparse
python-multipart: multipart python_multipart
python-nmap: nmap
python-pam: pam
python-pptx: pptx
python-rapidjson: rapidjson
python-slugify: slugify
python-snappy: snappy
python-socketio: socketio
python-statemachine: statemachine
python-swiftclient: swiftclient
python-telegram-bot: telegram
python-ulid: ulid
python-utils: python_utils
python-whois: whois
python-xlib: Xlib
python3-openid: openid
python3-saml: onelogin.saml2
pytorch-lightning: pytorch_lightning
pyusb: usb
pywavelets: pywt
pyxdg: xdg
pyyaml: yaml
pyzmq: zmq
readability-lxml: readability
redis-py-cluster: rediscluster
rpds-py: rpds
ruamel-yaml: ruamel.yaml
scikit-image: skimage
scikit-learn: sklearn
scikit-optimize: skopt
scikit-surprise: surprise
segment-analytics-python: segment.analytics
sentry-sdk: sentry_sdk
setuptools: setuptools
sigstore-rekor-types: rekor_types
snowflake-connector-python: snowflake.connector
snowflake-snowpark-python: snowflake.snowpark
snowflake-sqlalchemy: snowflake.sqlalchemy
speechrecognition: speech_recognition
sse-starlette: sse_starlette
ssh2-python: ssh2
standard-imghdr: imghdr
standard-telnetlib: telnetlib
strawberry-graphql: strawberry
tabula-py: tabula
tensorflow-cpu: tensorflow
tensorflow-gpu: tensorflow
tortoise-orm: tortoise
tree-sitter: tree_sitter
typing-extensions: typing_extensions
unittest-xml-reporting: xmlrunner
vadersentiment: vaderSentiment
weaviate-client: weaviate
websocket-client: websocket
wxpython: wx
zope-event: zope.event
zope-interface: zope.interface
"""


def _read_line(line: str) -> tuple[str, tuple[str, ...]]:
    name, _, modules = line.partition(": ")
    return name, tuple(modules.split())


MODULES: Mapping[str, tuple[str, ...]] = dict(map(_read_line, _LINES.split("\n")[1:-1]))
"""By the normalised name."""
