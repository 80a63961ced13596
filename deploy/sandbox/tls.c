#include "tls.h"

#include <limits.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "files.h"
#include "text.h"

enum { TLS_DAYS = 30, TLS_CA_DAYS = 3650, TLS_EXTENSION_BYTES = 512 };

struct Tls {
    EVP_PKEY *key;
    X509 *certificate;
    char ca_file[PATH_MAX];
};

static bool add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool set_serial(X509 *certificate)
{
    unsigned char bytes[8];
    if (RAND_bytes(bytes, sizeof(bytes)) != 1) {
        return false;
    }
    uint64_t serial = 0;
    memcpy(&serial, bytes, sizeof(serial));
    return ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1;
}

static X509 *new_certificate(const char *subject, EVP_PKEY *key, int days)
{
    X509 *certificate = X509_new();
    if (certificate == NULL) {
        return NULL;
    }
    X509_NAME *name = X509_get_subject_name(certificate);
    if (X509_set_version(certificate, X509_VERSION_3) != 1 || !set_serial(certificate) ||
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600L) == NULL ||
        X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86400L) == NULL ||
        X509_set_pubkey(certificate, key) != 1 ||
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject, -1,
                                   -1, 0) != 1) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

static bool make_ca(Tls *tls)
{
    tls->key = EVP_EC_gen("P-256");
    tls->certificate =
        tls->key == NULL ? NULL : new_certificate("neon-sandbox CA", tls->key, TLS_CA_DAYS);
    X509 *ca = tls->certificate;
    return ca != NULL && X509_set_issuer_name(ca, X509_get_subject_name(ca)) == 1 &&
           add_extension(ca, ca, NID_basic_constraints, "critical,CA:TRUE") &&
           add_extension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign") &&
           add_extension(ca, ca, NID_subject_key_identifier, "hash") &&
           X509_sign(ca, tls->key, EVP_sha256()) > 0;
}

static bool write_pem(BIO *pem, const char *path, unsigned mode, const SpawnUser *user)
{
    char *data = NULL;
    long bytes = BIO_get_mem_data(pem, &data);
    return bytes > 0 && files_write(path, data, (size_t)bytes, mode, user);
}

static bool write_certificate(X509 *certificate, const char *path, const SpawnUser *user)
{
    BIO *pem = BIO_new(BIO_s_mem());
    bool written = pem != NULL && PEM_write_bio_X509(pem, certificate) == 1 &&
                   write_pem(pem, path, 0644, user);
    BIO_free(pem);
    return written;
}

static bool write_key(EVP_PKEY *key, const char *path, const SpawnUser *user)
{
    BIO *pem = BIO_new(BIO_s_secmem());
    bool written = pem != NULL &&
                   PEM_write_bio_PrivateKey(pem, key, NULL, NULL, 0, NULL, NULL) == 1 &&
                   write_pem(pem, path, 0600, user);
    BIO_free(pem);
    return written;
}

/* What clients hold a copy of stays good over a restart. */
static bool read_ca(Tls *tls, const char *key_path)
{
    BIO *certificate = BIO_new_file(tls->ca_file, "r");
    BIO *key = BIO_new_file(key_path, "r");
    if (certificate != NULL && key != NULL) {
        tls->certificate = PEM_read_bio_X509(certificate, NULL, NULL, NULL);
        tls->key = PEM_read_bio_PrivateKey(key, NULL, NULL, NULL);
    }
    BIO_free(certificate);
    BIO_free(key);
    ERR_clear_error();
    bool is_read = tls->certificate != NULL && tls->key != NULL &&
                   X509_check_private_key(tls->certificate, tls->key) == 1 &&
                   X509_cmp_current_time(X509_get0_notAfter(tls->certificate)) > 0;
    if (!is_read) {
        X509_free(tls->certificate);
        EVP_PKEY_free(tls->key);
        tls->certificate = NULL;
        tls->key = NULL;
    }
    return is_read;
}

static bool make_files(Tls *tls, const char *key_path)
{
    SpawnUser self = {0};
    return make_ca(tls) && write_key(tls->key, key_path, &self) &&
           write_certificate(tls->certificate, tls->ca_file, &self);
}

Tls *tls_open(const char *dir)
{
    Tls *tls = calloc(1, sizeof(*tls));
    char key_path[PATH_MAX];
    if (tls == NULL) {
        abort();
    }
    if (!text_format(tls->ca_file, sizeof(tls->ca_file), "%s/ca.pem", dir) ||
        !text_format(key_path, sizeof(key_path), "%s/ca.key", dir) ||
        (!read_ca(tls, key_path) && !make_files(tls, key_path))) {
        tls_free(tls);
        return NULL;
    }
    return tls;
}

void tls_free(Tls *tls)
{
    X509_free(tls->certificate);
    EVP_PKEY_free(tls->key);
    free(tls);
}

const char *tls_ca_file(const Tls *tls)
{
    return tls->ca_file;
}

static bool sign_leaf(const Tls *tls, X509 *leaf, const char *names)
{
    return X509_set_issuer_name(leaf, X509_get_subject_name(tls->certificate)) == 1 &&
           add_extension(leaf, tls->certificate, NID_basic_constraints, "critical,CA:FALSE") &&
           add_extension(leaf, tls->certificate, NID_ext_key_usage, "serverAuth") &&
           add_extension(leaf, tls->certificate, NID_authority_key_identifier, "keyid") &&
           add_extension(leaf, tls->certificate, NID_subject_alt_name, names) &&
           X509_sign(leaf, tls->key, EVP_sha256()) > 0;
}

/* A key and a certificate for the names; both NULL when that fails. */
static bool make_leaf(const Tls *tls, const char *const *names, int count, EVP_PKEY **ret_key,
                      X509 **ret_leaf)
{
    char list[TLS_EXTENSION_BYTES] = "";
    for (int i = 0; i < count; i++) {
        size_t used = strlen(list);
        text_build(list + used, sizeof(list) - used, "%sDNS:%s", i == 0 ? "" : ",", names[i]);
    }
    *ret_key = EVP_EC_gen("P-256");
    *ret_leaf = *ret_key == NULL ? NULL : new_certificate("neon-sandbox", *ret_key, TLS_DAYS);
    return *ret_leaf != NULL && sign_leaf(tls, *ret_leaf, list);
}

bool tls_issue(const Tls *tls, const char *const *names, int count, const char *certificate_path,
               const char *key_path, const SpawnUser *user)
{
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;
    bool issued = make_leaf(tls, names, count, &key, &leaf) &&
                  write_certificate(leaf, certificate_path, user) && write_key(key, key_path, user);
    X509_free(leaf);
    EVP_PKEY_free(key);
    return issued;
}

SSL_CTX *tls_new_context(const Tls *tls, const char *const *names, int count)
{
    EVP_PKEY *key = NULL;
    X509 *leaf = NULL;
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    bool made = context != NULL && make_leaf(tls, names, count, &key, &leaf) &&
                SSL_CTX_use_certificate(context, leaf) == 1 &&
                SSL_CTX_use_PrivateKey(context, key) == 1;
    X509_free(leaf);
    EVP_PKEY_free(key);
    if (!made) {
        SSL_CTX_free(context);
        return NULL;
    }
    return context;
}
