#include "run/roles_verify.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/secret.h"

// So many checks are one piece of work: the pieces run side by side.
enum { PIECE = 16 };

typedef struct Check {
    Secret password;
    char *verifier;
    RolesVerified result;
} Check;

typedef struct Piece {
    uv_work_t work;
    RolesVerify *verify;
    size_t first;
    size_t count;
} Piece;

struct RolesVerify {
    RolesCheck *checks; // NULL: cancelled
    Check *copies;
    size_t count;
    Piece *pieces;
    size_t piece_count;
    size_t pending;
    RolesVerifyDone *done;
    void *context;
};

static void verify_free(RolesVerify *verify)
{
    for (size_t i = 0; i < verify->count; i++) {
        secret_clear(&verify->copies[i].password);
        free(verify->copies[i].verifier);
    }
    free(verify->copies);
    free(verify->pieces);
    free(verify);
}

static void run_piece(uv_work_t *work)
{
    const Piece *piece = work->data;
    for (size_t i = piece->first; i < piece->first + piece->count; i++) {
        Check *check = &piece->verify->copies[i];
        check->result = roles_verifier_check(check->verifier, secret_reveal(&check->password));
    }
}

static void on_piece(uv_work_t *work, int status)
{
    (void)status; // cancelled: so are the checks
    const Piece *piece = work->data;
    RolesVerify *verify = piece->verify;
    if (--verify->pending > 0) {
        return;
    }
    for (size_t i = 0; verify->checks != NULL && i < verify->count; i++) {
        verify->checks[i].result = verify->copies[i].result;
    }
    RolesVerifyDone *done = verify->checks != NULL ? verify->done : NULL;
    void *context = verify->context;
    verify_free(verify);
    if (done != NULL) {
        done(context);
    }
}

RolesVerify *roles_verify_start(Loop *loop, RolesCheck *checks, size_t count, RolesVerifyDone *done,
                                void *context)
{
    RolesVerify *verify = alloc_zeroed(1, sizeof(*verify));
    *verify = (RolesVerify){.checks = checks,
                            .count = count,
                            .piece_count = (count + PIECE - 1) / PIECE,
                            .done = done,
                            .context = context};
    verify->copies = alloc_zeroed(count, sizeof(verify->copies[0]));
    verify->pieces = alloc_zeroed(verify->piece_count, sizeof(verify->pieces[0]));
    for (size_t i = 0; i < count; i++) {
        secret_set(&verify->copies[i].password, secret_bytes(checks[i].password));
        verify->copies[i].verifier = alloc_text(checks[i].verifier);
    }
    for (size_t i = 0; i < verify->piece_count; i++) {
        Piece *piece = &verify->pieces[i];
        size_t first = i * PIECE;
        *piece = (Piece){.verify = verify,
                         .first = first,
                         .count = count - first < PIECE ? count - first : PIECE};
        piece->work.data = piece;
        uv_queue_work(loop_uv(loop), &piece->work, run_piece, on_piece);
        verify->pending++;
    }
    return verify;
}

void roles_verify_cancel(RolesVerify *verify)
{
    if (verify == NULL) {
        return;
    }
    verify->checks = NULL;
    for (size_t i = 0; i < verify->piece_count; i++) {
        uv_cancel((uv_req_t *)&verify->pieces[i].work);
    }
}
