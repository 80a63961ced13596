#include "ids.h"

#include <sodium.h>

#include "text.h"

static const char *const ADJECTIVES[] = {
    "aged",   "autumn", "billowing", "bitter", "blue",     "bold",   "broad",  "calm",
    "cold",   "cool",   "crimson",   "damp",   "dark",     "dawn",   "dry",    "fancy",
    "flat",   "frosty", "green",     "hidden", "icy",      "late",   "little", "lively",
    "long",   "lucky",  "misty",     "muddy",  "noisy",    "old",    "orange", "patient",
    "plain",  "proud",  "purple",    "quiet",  "rapid",    "raspy",  "red",    "restless",
    "rough",  "royal",  "shiny",     "shy",    "silent",   "small",  "snowy",  "soft",
    "spring", "square", "steep",     "still",  "sweet",    "tight",  "tiny",   "weathered",
    "white",  "wild",   "winter",    "wispy",  "withered", "yellow", "young",  "summer",
};

static const char *const NOUNS[] = {
    "bar",      "base",   "bird",      "block",  "boat",   "bonus",   "bread", "breeze",
    "brook",    "bush",   "butter",    "cake",   "cell",   "cherry",  "cloud", "credit",
    "darkness", "dawn",   "dew",       "dream",  "dust",   "feather", "field", "fire",
    "firefly",  "flower", "fog",       "forest", "frog",   "frost",   "glade", "glitter",
    "grass",    "hall",   "hat",       "haze",   "heart",  "hill",    "king",  "lab",
    "lake",     "leaf",   "limit",     "math",   "meadow", "mode",    "moon",  "morning",
    "mouse",    "mud",    "night",     "paper",  "pine",   "poetry",  "pond",  "queen",
    "rain",     "recipe", "resonance", "rice",   "river",  "salad",   "scene", "sea",
};

static const char LOWER_ALNUM[] = "abcdefghijklmnopqrstuvwxyz0123456789";
static const char ALNUM[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

#define PICK(list) ((list)[randombytes_uniform(sizeof(list) / sizeof((list)[0]))])

static void fill(char *buffer, size_t count, const char *alphabet, size_t alphabet_size)
{
    for (size_t i = 0; i < count; i++) {
        buffer[i] = alphabet[randombytes_uniform((uint32_t)alphabet_size)];
    }
    buffer[count] = '\0';
}

void ids_make_project(char ret_id[IDS_BYTES])
{
    text_build(ret_id, IDS_BYTES, "%s-%s-%08u", PICK(ADJECTIVES), PICK(NOUNS),
               randombytes_uniform(100000000));
}

void ids_make_resource(const char *prefix, char ret_id[IDS_BYTES])
{
    char tail[7];
    fill(tail, sizeof(tail) - 1, LOWER_ALNUM, sizeof(LOWER_ALNUM) - 1);
    text_build(ret_id, IDS_BYTES, "%s-%s-%s-a5%s", prefix, PICK(ADJECTIVES), PICK(NOUNS), tail);
}

void ids_make_uuid(char ret_id[IDS_UUID_BYTES])
{
    unsigned char b[16];
    randombytes_buf(b, sizeof(b));
    b[6] = (unsigned char)((b[6] & 0x0f) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3f) | 0x80);
    text_build(ret_id, IDS_UUID_BYTES,
               "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", b[0], b[1],
               b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11], b[12], b[13], b[14],
               b[15]);
}

void ids_make_password(char ret_password[IDS_PASSWORD_BYTES])
{
    char tail[21];
    fill(tail, sizeof(tail) - 1, ALNUM, sizeof(ALNUM) - 1);
    text_build(ret_password, IDS_PASSWORD_BYTES, "npg_%s", tail);
    sodium_memzero(tail, sizeof(tail));
}

void ids_make_key(char ret_key[IDS_KEY_BYTES])
{
    char tail[61];
    fill(tail, sizeof(tail) - 1, LOWER_ALNUM, sizeof(LOWER_ALNUM) - 1);
    text_build(ret_key, IDS_KEY_BYTES, "napi_%s", tail);
    sodium_memzero(tail, sizeof(tail));
}
