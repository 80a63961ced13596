#include "driver.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "driver_link.h"

enum { LINKS = 1 + ROLES_TALKS_MAX, FOREVER = -1 };

typedef struct Driver {
    const RolesDriverTarget *target;
    RolesTalks *talks;
    Link links[LINKS]; // the first one: of the cluster
    uint32_t before;   // waits of the cluster's session when the first other one was opened
    uint32_t sessions;
} Driver;

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void rest(Link *link, uint32_t wait_ms)
{
    link->state = LINK_RESTS;
    link->wake_ms = now_ms() + wait_ms;
}

static void verify(const RolesTalkNext *next)
{
    for (size_t i = 0; i < next->check_count; i++) {
        RolesCheck *check = &next->checks[i];
        check->result = roles_verifier_check(check->verifier, secret_reveal(check->password));
    }
}

// Goes on until it has to wait for something.
static void advance(Driver *driver, Link *link)
{
    RolesTalkNext next = roles_talks_next(driver->talks, link->session, (uint32_t)random());
    while (next.action == ROLES_TALK_VERIFY) {
        verify(&next);
        roles_talk_verified(link->session->talk);
        next = roles_talks_next(driver->talks, link->session, (uint32_t)random());
    }
    if (next.action == ROLES_TALK_SEND) {
        link_send(link, &next.batch);
    } else if (next.action == ROLES_TALK_DONE || next.action == ROLES_TALK_FAILED) {
        link_close(link);
    } else {
        rest(link, next.wait_ms);
    }
}

static Link *find_free(Driver *driver)
{
    for (int i = 1; i < LINKS; i++) {
        if (driver->links[i].state == LINK_CLOSED) {
            return &driver->links[i];
        }
    }
    abort(); // there is one for each session that may be open
}

static void open_sessions(Driver *driver)
{
    RolesSession *session = NULL;
    while ((session = roles_talks_open(driver->talks)) != NULL) {
        Link *cluster = &driver->links[0];
        Link *link = cluster->state == LINK_CLOSED ? cluster : find_free(driver);
        if (link != cluster && link->waits == 0) { // it had to follow the cluster's
            driver->before = cluster->waits;
            link->waits = cluster->waits;
        }
        link_open(link, driver->target, session);
        driver->sessions++;
    }
}

static void advance_holder(Driver *driver)
{
    if (roles_talks_holder(driver->talks) != NULL && driver->links[0].state == LINK_RESTS) {
        advance(driver, &driver->links[0]);
    }
}

static void look(Driver *driver, Link *link)
{
    RolesTalk *talk = link->session->talk;
    switch (link_look(link)) {
    case LINK_NOTHING:
        return;
    case LINK_CONNECTED:
        break;
    case LINK_REFUSED:
        if (roles_talks_refused(driver->talks, link->session, &link->err)) {
            link_close(link);
            return;
        }
        break;
    case LINK_ANSWERED:
        roles_talk_learn(talk, link->results, link->result_count, &link->err);
        break;
    }
    advance(driver, link);
}

static int next_wake_ms(const Driver *driver)
{
    int64_t wait_ms = FOREVER;
    int64_t now = now_ms();
    for (int i = 0; i < LINKS; i++) {
        const Link *link = &driver->links[i];
        if (link->state == LINK_RESTS) {
            int64_t left_ms = link->wake_ms > now ? link->wake_ms - now : 0;
            wait_ms = wait_ms == FOREVER || left_ms < wait_ms ? left_ms : wait_ms;
        }
    }
    return (int)wait_ms;
}

static void wake(Driver *driver)
{
    int64_t now = now_ms();
    for (int i = 0; i < LINKS; i++) {
        Link *link = &driver->links[i];
        if (link->state == LINK_RESTS && link->wake_ms <= now) {
            roles_talk_waited(link->session->talk);
            advance(driver, link);
        }
    }
}

static void turn(Driver *driver)
{
    struct pollfd polls[LINKS];
    for (int i = 0; i < LINKS; i++) {
        polls[i] = link_poll(&driver->links[i]);
    }
    if (poll(polls, LINKS, next_wake_ms(driver)) < 0 && errno != EINTR) {
        abort();
    }
    for (int i = 0; i < LINKS && !roles_talks_is_over(driver->talks); i++) {
        if (polls[i].fd >= 0 && polls[i].revents != 0) {
            look(driver, &driver->links[i]);
        }
    }
    wake(driver);
    advance_holder(driver);
    open_sessions(driver);
}

static void tell_figures(const Driver *driver, double seconds)
{
    RolesDriverFigures *figures = driver->target->figures;
    if (figures == NULL) {
        return;
    }
    *figures = (RolesDriverFigures){.sessions = driver->sessions, .seconds = seconds};
    for (int i = 0; i < LINKS; i++) {
        uint32_t before = i == 0 ? 0 : driver->before;
        uint32_t waits = driver->links[i].waits;
        figures->critical = waits > figures->critical ? waits : figures->critical;
        figures->all += waits > before ? waits - before : 0;
    }
}

bool roles_driver_run(const RolesDriverTarget *target, const RolesTask *task,
                      RolesReport *ret_report, Error *err)
{
    Driver driver = {.target = target};
    int64_t started_ms = now_ms();
    driver.talks = roles_talks_new(task, target->fallback != NULL ? target->fallback : "neondb");
    open_sessions(&driver);
    while (!roles_talks_is_over(driver.talks)) {
        turn(&driver);
    }
    for (int i = 0; i < LINKS; i++) {
        link_close(&driver.links[i]);
    }
    tell_figures(&driver, (double)(now_ms() - started_ms) / 1000);
    bool worked = roles_talks_end(driver.talks, ret_report, err);
    roles_talks_free(driver.talks);
    return worked;
}
