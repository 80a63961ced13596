#include "roles/verifier.h"

#include "unit.h"

typedef struct VerifierCase {
    const char *verifier;
    const char *password;
} VerifierCase;

// As PostgreSQL 18 stores them: with its usual 4,096 iterations, with 1 and with 100,000.
static const VerifierCase STORED[] = {
    {"SCRAM-SHA-256$4096:dsh3NLtlheklz329IORg9g==$Xh5uPLMh/dlboafOg/"
     "vsa6+9Ws5iJuq3aUde1/vWGwA=:dPOe1jCmYS+tAs+sI5ULxgziM2NpY6JBUADK8EXnR/A=",
     "pencil"},
    {"SCRAM-SHA-256$4096:HXurtwLKYIf10d8P8PoysQ==$9tz/0l9scGNaH5TTEhjJxLYzgwym240FEHHoF+2TOLY=:/"
     "XnCszRtX4Oy7wEUHuEpoGTgvYxAMXq0bwiQe/h44CY=",
     "Zq7LmX0aB3cD9eF1gH5iJ8kN2oP4rS6t"},
    {"SCRAM-SHA-256$1:Eifx+73qOdbafoNFt9hDjw==$xSO3WUti2/k/"
     "wAuax7EQDvnC79l6ZkEQrZY/9n5VPgg=:c2jm0K/hzie+wqzEIa8dAaNZqufmKy3CBHGR8hvWIYA=",
     "once"},
    {"SCRAM-SHA-256$100000:hpp/Gspgkl5vELOD425T9Q==$0RqxCIYUPSpG14u1wwaW0C5yr39sbM3wvEWGYIiv1F0=:"
     "fJ21EDnr8/G6EeC3sR7wxZXME6r6K6YkBIPhSfQgxX4=",
     "slow"},
    {"SCRAM-SHA-256$4096:zfvAxvi8KJt8RcTP48s+Yg==$0G5npDRMD1xeFZkSIo138h5+EsXqVQmkV5s0HjMLtG0=:"
     "JOk7l4aHpiymN6rbKAJ9bjdY5s6Feu19WjtYcifGjWg=",
     "a password that is longer than one block of SHA-256, which is hashed before it becomes a key "
     "of HMAC"},
};

static void a_stored_password_is_told_from_others(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(STORED); i++) {
        for (size_t j = 0; j < UNIT_COUNT(STORED); j++) {
            assert_int_equal(roles_verifier_check(STORED[i].verifier, STORED[j].password),
                             i == j ? ROLES_VERIFIED_EQUAL : ROLES_VERIFIED_DIFFERENT);
        }
        assert_int_equal(roles_verifier_check(STORED[i].verifier, ""), ROLES_VERIFIED_DIFFERENT);
    }
}

#define KEY "xSO3WUti2/k/wAuax7EQDvnC79l6ZkEQrZY/9n5VPgg="

static void whatever_else_is_stored_says_nothing(void **state)
{
    (void)state;
    static const char *const OTHERS[] = {
        "",
        "md5ae2ced84978fbde68548c8e5e27d599b",
        "pencil",
        "SCRAM-SHA-512$1:Eifx+73qOdbafoNFt9hDjw==$" KEY ":",
        "SCRAM-SHA-256$",
        "SCRAM-SHA-256$1",
        "SCRAM-SHA-256$x:Eifx+73qOdbafoNFt9hDjw==$" KEY ":",
        "SCRAM-SHA-256$0:Eifx+73qOdbafoNFt9hDjw==$" KEY ":",
        "SCRAM-SHA-256$1000001:Eifx+73qOdbafoNFt9hDjw==$" KEY ":",
        "SCRAM-SHA-256$99999999999999999999:Eifx+73qOdbafoNFt9hDjw==$" KEY ":",
        "SCRAM-SHA-256$1:Eifx+73qOdbafoNFt9hDjw==",
        "SCRAM-SHA-256$1:Eifx+73qOdbafoNFt9hDjw==$",
        "SCRAM-SHA-256$1:Eifx+73qOdbafoNFt9hDjw==$" KEY,
        "SCRAM-SHA-256$1:Eifx+73qOdbafoNFt9hDjw==$Eifx+73qOdbafoNFt9hDjw==:",
        "SCRAM-SHA-256$1:Eifx+73qOdbafoNFt9hDj$" KEY ":",
        "SCRAM-SHA-256$1:Eifx+73qOdbafoNFt9hDjw==$ü:",
    };
    for (size_t i = 0; i < UNIT_COUNT(OTHERS); i++) {
        assert_int_equal(roles_verifier_check(OTHERS[i], "once"), ROLES_VERIFIED_UNKNOWN);
    }
    // the server's key isn't looked at
    assert_int_equal(
        roles_verifier_check("SCRAM-SHA-256$1:Eifx+73qOdbafoNFt9hDjw==$" KEY ":", "once"),
        ROLES_VERIFIED_EQUAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stored_password_is_told_from_others),
        cmocka_unit_test(whatever_else_is_stored_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
