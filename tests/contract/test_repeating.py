"""A repeated request has the effect of one (AIP-155)."""

import asyncio
from datetime import date
from typing import Any
from uuid import uuid4

import pytest

from chassis import development
from quanyutong.ballots.v1 import campaigns_pb2, projects_pb2, suggestions_pb2
from quanyutong.feedback.v1 import handling_pb2, intakes_pb2, merging_pb2, nominations_pb2, opinions_pb2, proposals_pb2
from quanyutong.meetings.v1 import (
    agenda_pb2,
    attachments_pb2,
    attendance_pb2,
    deliberation_pb2,
    measures_pb2,
    meeting_pb2,
    minutes_pb2,
    preparations_pb2,
    questions_pb2,
    speakers_pb2,
    venues_pb2,
)
from quanyutong.registry.v1 import (
    activities_pb2,
    assemblies_pb2,
    contacts_pb2,
    mandate_life_pb2,
    mandates_pb2,
    oversight_pb2,
    persons_pb2,
    rules_pb2,
    secrets_pb2,
    stations_pb2,
    units_pb2,
)
from tests.ballots.season import ONLINE, ROADS, YEAR, Season
from tests.contract.acts import delegates, entry, record
from tests.contract.hall import hall_of
from tests.contract.office import HOUSE, NOBODY, RESIDENT, SIZE_MAX, TOWN, Office, in_days, mask, on
from tests.feedback.hearing import POLICE, UNDERTAKERS, Hearing
from tests.harness import refused
from tests.meetings.papers import over
from tests.meetings.secretariat import Secretariat, morning
from tests.meetings.session import session
from tests.meetings.sitting import document

ADJUST, END = projects_pb2.DECISION_KIND_ADJUST, projects_pb2.DECISION_KIND_END
STANDING_COMMITTEE = projects_pb2.DECIDER_STANDING_COMMITTEE
REUSED = "ERROR_REASON_REQUEST_ID_REUSED"


def create(name: str = "王小明", request_id: str = "", **fields: Any) -> persons_pb2.CreatePersonRequest:
    person = persons_pb2.Person(display_name=name, **fields)
    return persons_pb2.CreatePersonRequest(person=person, request_id=request_id)


async def people(office: Office) -> int:
    return len((await office.call("ListPersons", persons_pb2.ListPersonsRequest())).persons)


async def test_every_mutation_is_answered_again_with_the_first_answer(office: Office) -> None:
    """Each of these would be refused, or change something, if it were done a second time."""
    assembly, person = await office.assembly(), await office.person()
    term = await office.term(assembly)
    names = [await office.recommended(term) for _ in range(4)]
    await office.call("VetMandate", mandates_pb2.VetMandateRequest(name=names[1]))
    await office.call("VetMandate", mandates_pb2.VetMandateRequest(name=names[3]))
    await office.confirm(names[3])
    in_force = [await office.active(term) for _ in range(2)]
    await office.suspend(in_force[1])
    elsewhere = await office.assembly(await office.unit(51))
    over = (await office.open_term(elsewhere, start=in_days(-900), end=in_days(-1))).name
    following = assemblies_pb2.Term(number=2, start_date=on(in_days(-1)))
    unit = units_pb2.Unit(name=f"units/{office.district}050", display_name="镇", kind=TOWN)
    mandate = mandates_pb2.Mandate(person=person, term=term, capacity=RESIDENT, recommender="本人")
    renamed = persons_pb2.Person(name=person, display_name="改名", etag='"1"')
    congress = assemblies_pb2.Assembly(kind=assemblies_pb2.ASSEMBLY_KIND_DISTRICT_CONGRESS, display_name="人大")
    titled = assemblies_pb2.Assembly(name=assembly, kind=congress.kind, display_name="改名", etag='"1"')
    later = assemblies_pb2.Term(number=9, start_date=on(in_days(800)))
    value: dict[str, Any] = {"name": SIZE_MAX, "effective_date": on(in_days(1)), "decision": "决定"}
    requests: dict[str, Any] = {
        "CreateUnit": units_pb2.CreateUnitRequest(unit=unit),
        "CreateAssembly": assemblies_pb2.CreateAssemblyRequest(assembly=congress),
        "UpdateAssembly": assemblies_pb2.UpdateAssemblyRequest(assembly=titled, update_mask=mask("*")),
        "OpenTerm": assemblies_pb2.OpenTermRequest(parent=assembly, term=later),
        "UpdatePerson": persons_pb2.UpdatePersonRequest(person=renamed, update_mask=mask("display_name")),
        "RecommendMandate": mandates_pb2.RecommendMandateRequest(mandate=mandate),
        "VetMandate": mandates_pb2.VetMandateRequest(name=names[0]),
        "ConfirmMandate": mandates_pb2.ConfirmMandateRequest(name=names[1]),
        "RejectMandate": mandates_pb2.RejectMandateRequest(name=names[2], reason="材料不实"),
        "EndMandate": mandates_pb2.EndMandateRequest(name=names[3], reason=mandates_pb2.END_REASON_MOVED),
        "OverrideRule": rules_pb2.OverrideRuleRequest(value="50", **value),
        "RestoreRule": rules_pb2.RestoreRuleRequest(**value),
        "SuspendMandate": mandate_life_pb2.SuspendMandateRequest(name=in_force[0], reason="羁押"),
        "ReinstateMandate": mandate_life_pb2.ReinstateMandateRequest(name=in_force[1], reason="案件撤销"),
        "ChangeTerm": mandate_life_pb2.ChangeTermRequest(name=over, next=following),
        "RevealPerson": secrets_pb2.RevealPersonRequest(name=person, purpose="通知开会"),
        "MergePersons": secrets_pb2.MergePersonsRequest(keep=await office.person(), merged=await office.person()),
        "RotateKeys": secrets_pb2.RotateKeysRequest(),
        **await _acts(office, term),
    }
    await repeat(office, requests)


async def test_every_mutation_of_what_delegates_do_is_answered_again_with_the_first_answer(office: Office) -> None:
    """In their order each one finds what it needs; repeated after all of them, none would."""
    term, unit = await office.term(), await office.unit(2)
    delegate, house = await office.delegate(term), await office.station(unit)
    group, other = await office.oversight_group(term), await office.station(unit)
    entry = await office.assigned(other, delegate)
    contact = contacts_pb2.Contact(mandate=delegate, person=await office.person())
    ended = await office.contact(delegate, person=await office.person())
    fields: dict[str, Any] = {"kind": HOUSE, "unit": unit, "display_name": "代表之家", "address": "试验路2号"}
    moved = stations_pb2.Station(name=house, etag='"1"', **fields)
    seat: dict[str, Any] = {"name": group, "mandate": delegate}
    finance = oversight_pb2.OVERSIGHT_TOPIC_FINANCE_AND_STATE_ASSETS
    requests: dict[str, Any] = {
        "CreateStation": stations_pb2.CreateStationRequest(station=stations_pb2.Station(**fields)),
        "UpdateStation": stations_pb2.UpdateStationRequest(station=moved, update_mask=mask("address")),
        "AssignDelegate": stations_pb2.AssignDelegateRequest(station=house, mandate=delegate),
        "ReleaseDelegate": stations_pb2.ReleaseDelegateRequest(name=entry),
        "CloseStation": stations_pb2.CloseStationRequest(name=house, reason="场地拆迁"),
        "AddContact": contacts_pb2.AddContactRequest(contact=contact),
        "EndContact": contacts_pb2.EndContactRequest(name=ended),
        "FormOversightGroup": oversight_pb2.FormOversightGroupRequest(parent=term, topic=finance),
        "AddOversightMember": oversight_pb2.AddOversightMemberRequest(**seat, start_date=on(in_days(-9))),
        "SetOversightLeader": oversight_pb2.SetOversightLeaderRequest(**seat),
        "RemoveOversightMember": oversight_pb2.RemoveOversightMemberRequest(**seat),
    }
    await repeat(office, requests)


async def test_every_mutation_of_a_campaign_is_answered_again_with_the_first_answer(office: Office) -> None:
    season = Season(office.tenant)
    bodies = [await season.assembly(await season.unit(number)) for number in range(1, 8)]
    # The last body first: whoever has heard of it has heard of all.
    campaign, (first, second, third, fourth, fifth) = await season.screening(5, body=bodies[6])
    candidate = (await season.candidate(first)).name
    draft, over = (await season.campaign(bodies[1])).name, await season.collecting(body=bodies[2])
    screened, collected = await season.screening(2, body=bodies[3])
    for each in collected:
        await season.candidate(each)
    under_way = await season.collecting(body=bodies[4], end_date=on(in_days(9)))
    project = await season.undertaken(body=bodies[5])
    await season.decide(project, END)
    done = (await season.shown(project)).campaign
    resident: dict[str, Any] = {
        "source": suggestions_pb2.SUGGESTION_SOURCE_RESIDENT,
        "channel": ONLINE,
        "content": "加装电梯",
    }
    suggestion = suggestions_pb2.Suggestion(campaign=under_way, **resident)
    nominated: dict[str, Any] = {"campaign": under_way, "nominated": f"opinions/{NOBODY}", "content": "加装电梯"}
    changed = season.drafted(bodies[1], name=draft, title="改题", etag='"1"')
    renamed = season.screened(name=candidate, title="改题", etag='"1"')
    settled = [suggestions_pb2.ScreenedSuggestion(name=fifth, project=season.screened())]
    requests: dict[str, Any] = {
        "CreateCampaign": campaigns_pb2.CreateCampaignRequest(campaign=season.drafted(bodies[0])),
        "UpdateCampaign": campaigns_pb2.UpdateCampaignRequest(campaign=changed, update_mask=mask("title")),
        "PublishNotice": campaigns_pb2.PublishNoticeRequest(name=draft),
        "CloseCollection": campaigns_pb2.CloseCollectionRequest(name=over),
        "FixCandidates": campaigns_pb2.FixCandidatesRequest(name=screened),
        "CloseCampaign": campaigns_pb2.CloseCampaignRequest(name=done),
        "CollectSuggestion": suggestions_pb2.CollectSuggestionRequest(suggestion=suggestion),
        "NominateSuggestion": suggestions_pb2.NominateSuggestionRequest(**nominated),
        "MergeSuggestion": suggestions_pb2.MergeSuggestionRequest(name=second, into=third),
        "RejectSuggestion": suggestions_pb2.RejectSuggestionRequest(name=third, reason="重复"),
        "MakeCandidate": suggestions_pb2.MakeCandidateRequest(name=fourth, project=season.screened()),
        "BatchCollectSuggestions": suggestions_pb2.BatchCollectSuggestionsRequest(suggestions=[suggestion]),
        "BatchMakeCandidates": suggestions_pb2.BatchMakeCandidatesRequest(campaign=campaign, suggestions=settled),
        "UpdateProject": projects_pb2.UpdateProjectRequest(project=renamed, update_mask=mask("title")),
        "WithdrawCandidate": projects_pb2.WithdrawCandidateRequest(name=candidate, reason="重复"),
    }
    await repeat(office, requests, "vote")


async def test_every_mutation_of_a_project_is_answered_again_with_the_first_answer(office: Office) -> None:
    """In their order each one finds what it needs; repeated after all of them, none would."""
    season = Season(office.tenant)
    first, second = [await season.assembly(await season.unit(number)) for number in (1, 2)]
    project, other = await season.adopted(body=first), await season.evaluated(body=second)
    due = on(date(YEAR + 1, 6, 30))
    task = projects_pb2.ProjectTask(title="征地", due_date=due)
    milestone = projects_pb2.Milestone(title="开工", due_date=due)
    await season.work("AddTask", other, task=task)
    parts = await season.work("AddMilestone", other, milestone=milestone)
    addition = projects_pb2.BudgetAddition(amount_fen=1, funds="区级财政", reason="材料涨价")
    report = projects_pb2.ProgressReport(project=project, percent=50, content="按计划推进")
    inspection = projects_pb2.Inspection(project=project, inspectors="监督小组", findings="合格", passed=True)
    evaluation = projects_pb2.ProjectEvaluation(members=50, satisfied=40)
    lead = [projects_pb2.ProjectUndertaker(display_name=ROADS, lead=True)]
    await season.work("AssignUndertakers", project, undertakers=lead)
    decided = await season.decide(project, ADJUST)
    decision = projects_pb2.Decision(
        project=project, kind=END, decider=STANDING_COMMITTEE, reporter=ROADS, reason="规划调整", content="同意终止"
    )
    requests: dict[str, Any] = {
        "AssignUndertakers": projects_pb2.AssignUndertakersRequest(name=project, undertakers=lead),
        "StartProject": projects_pb2.StartProjectRequest(name=project),
        "AddBudget": projects_pb2.AddBudgetRequest(name=project, addition=addition),
        "AddTask": projects_pb2.AddTaskRequest(name=project, task=task),
        "AddMilestone": projects_pb2.AddMilestoneRequest(name=project, milestone=milestone),
        "CompleteTask": projects_pb2.CompleteTaskRequest(name=parts.tasks[0].name),
        "ReachMilestone": projects_pb2.ReachMilestoneRequest(name=parts.milestones[0].name),
        "AcceptProject": projects_pb2.AcceptProjectRequest(name=other, note="验收合格"),
        "ReportProgress": projects_pb2.ReportProgressRequest(progress_report=report),
        "InspectProject": projects_pb2.InspectProjectRequest(inspection=inspection),
        "EvaluateProject": projects_pb2.EvaluateProjectRequest(name=project, evaluation=evaluation),
        "CarryOverProject": projects_pb2.CarryOverProjectRequest(name=project, reason="尾工未完", due_date=due),
        "GiveDecisionNotice": projects_pb2.GiveDecisionNoticeRequest(name=decided.name),
        "ReportDecision": projects_pb2.ReportDecisionRequest(name=decided.name, meeting=f"meetings/{NOBODY}"),
        "DecideProject": projects_pb2.DecideProjectRequest(decision=decision),
    }
    await repeat(office, requests, "vote")


async def test_every_mutation_of_minutes_is_answered_again_with_the_first_answer(office: Office) -> None:
    secretariat = Secretariat(office.tenant)
    meeting = await over(secretariat)
    name, chair, secretary = f"{meeting}/minutes", *(minutes_pb2.Signer(display_name=name) for name in ("陈", "周"))
    written = minutes_pb2.Minutes(name=name, remarks=["补充"], etag='"1"')
    requests: dict[str, Any] = {
        "GenerateMinutes": minutes_pb2.GenerateMinutesRequest(parent=meeting, chair=chair, secretary=secretary),
        "UpdateMinutes": minutes_pb2.UpdateMinutesRequest(minutes=written, update_mask=mask("remarks")),
        "SignMinutes": minutes_pb2.SignMinutesRequest(name=name, role=minutes_pb2.SIGNER_ROLE_CHAIR),
        "ReturnMinutes": minutes_pb2.ReturnMinutesRequest(name=name, reason="有误"),
    }
    await repeat(office, requests, "meet")


async def test_every_mutation_of_a_hall_is_answered_again_with_the_first_answer(office: Office) -> None:
    """In their order, too; no meeting is in the phase in which each one found it."""
    hall = await hall_of(office)
    venue = venues_pb2.Venue(name=hall["venue"], display_name="五楼会议室", etag='"1"')
    secretariat = Secretariat(office.tenant)
    new = secretariat.planned(hall["meeting_body"], morning(30), number=77)
    renamed = secretariat.planned(hall["meeting_body"], morning(30), name=hall["to_rename"], etag='"1"')
    moved: dict[str, Any] = {"start_time": new.start_time, "end_time": new.end_time, "overlap_reason": "分会场"}
    gathering, seat = hall["gathering"], hall["seat"]
    presence = attendance_pb2.Presence(attendee=hall["third_seat"])
    requests: dict[str, Any] = {
        "CreateVenue": venues_pb2.CreateVenueRequest(venue=venues_pb2.Venue(display_name="新会议室")),
        "UpdateVenue": venues_pb2.UpdateVenueRequest(venue=venue, update_mask=mask("display_name")),
        "CloseVenue": venues_pb2.CloseVenueRequest(name=hall["venue"]),
        "CreateMeeting": meeting_pb2.CreateMeetingRequest(meeting=new),
        "UpdateMeeting": meeting_pb2.UpdateMeetingRequest(meeting=renamed, update_mask=mask("display_name")),
        "GiveNotice": meeting_pb2.GiveNoticeRequest(name=hall["to_move"]),
        "RescheduleMeeting": meeting_pb2.RescheduleMeetingRequest(name=hall["to_move"], reason="改", **moved),
        "PostponeMeeting": meeting_pb2.PostponeMeetingRequest(name=hall["to_put_off"], reason="防汛"),
        "CancelMeeting": meeting_pb2.CancelMeetingRequest(name=hall["to_put_off"], reason="防汛"),
        "InviteDelegates": attendance_pb2.InviteDelegatesRequest(name=gathering),
        "ConfirmAttendance": attendance_pb2.ConfirmAttendanceRequest(name=gathering, mandate=seat),
        "RequestLeave": attendance_pb2.RequestLeaveRequest(name=gathering, mandate=hall["other_seat"], reason="出差"),
        "CheckIn": attendance_pb2.CheckInRequest(name=gathering, attendee=seat),
        "IssueCheckInCode": attendance_pb2.IssueCheckInCodeRequest(name=gathering),
        "BatchCheckIn": attendance_pb2.BatchCheckInRequest(name=gathering, presences=[presence]),
        "AddObserver": attendance_pb2.AddObserverRequest(parent=gathering, display_name="区财政局 张某"),
        "RemoveObserver": attendance_pb2.RemoveObserverRequest(name=hall["observer"]),
        "ConveneMeeting": meeting_pb2.ConveneMeetingRequest(name=gathering),
        "LeaveMeeting": attendance_pb2.LeaveMeetingRequest(name=gathering, attendee=seat),
        "AdjournMeeting": meeting_pb2.AdjournMeetingRequest(name=gathering),
        "CloseMeeting": meeting_pb2.CloseMeetingRequest(name=gathering),
    }
    await repeat(office, requests, "meet")


async def test_every_mutation_of_feedback_is_answered_again_with_the_first_answer(office: Office) -> None:
    hearing = Hearing(office.tenant)
    intake = await hearing.intake()
    mandate = await hearing.active(await hearing.term())
    said = hearing.said(channel=opinions_pb2.OPINION_CHANNEL_DELEGATE, mandate=mandate)
    await hearing.insist("CreateOpinion", opinions_pb2.CreateOpinionRequest(opinion=said))
    nominated = nominations_pb2.Nomination(nominated=(await hearing.opinion()).name, title="加装电梯", year=2030)
    standing, like = [(await hearing.opinion()).name for _ in range(2)]
    first, other, routed, lapsed = [(await hearing.opinion()).name for _ in range(2)] + [
        await hearing.routed(),
        await hearing.answered(),
    ]
    await hearing.elapse(lapsed, 60)
    put_off, paused = await hearing.routed(), await hearing.routed()
    route = handling_pb2.Route(category=opinions_pb2.OPINION_CATEGORY_HEALTH, undertakers=UNDERTAKERS)
    made = await hearing.hear("CreateRoute", handling_pb2.CreateRouteRequest(route=route))
    route.category = opinions_pb2.OPINION_CATEGORY_CULTURE
    reception = intakes_pb2.Reception(station=intake.station, mandates=[mandate], people_received=3)
    reason, later = {"reason": "有误"}, {"reason": "缓", "review_date": on(in_days(30))}
    requests: dict[str, Any] = {
        "CreateOpinion": opinions_pb2.CreateOpinionRequest(opinion=said),
        "RevealContact": opinions_pb2.RevealContactRequest(name=first, purpose="回访"),
        "AcknowledgeOpinion": handling_pb2.AcknowledgeOpinionRequest(name=first),
        "RouteOpinion": handling_pb2.RouteOpinionRequest(name=first, undertakers=UNDERTAKERS),
        "StartOpinion": handling_pb2.StartOpinionRequest(name=first),
        "AnswerOpinion": handling_pb2.AnswerOpinionRequest(name=first, content="已办"),
        "JudgeOpinion": handling_pb2.JudgeOpinionRequest(name=first, judgement=opinions_pb2.JUDGEMENT_SATISFIED),
        "DismissOpinion": handling_pb2.DismissOpinionRequest(name=other, **reason),
        "ReturnOpinion": handling_pb2.ReturnOpinionRequest(name=routed, **reason),
        "DeferOpinion": handling_pb2.DeferOpinionRequest(name=put_off, **later),
        "PauseOpinion": handling_pb2.PauseOpinionRequest(name=paused, consent="同意", **reason),
        "ResumeOpinion": handling_pb2.ResumeOpinionRequest(name=paused),
        "CloseOpinion": handling_pb2.CloseOpinionRequest(name=lapsed),
        "CreateNomination": nominations_pb2.CreateNominationRequest(nomination=nominated),
        "MergeOpinions": merging_pb2.MergeOpinionsRequest(name=standing, opinions=[like]),
        "UnmergeOpinion": merging_pb2.UnmergeOpinionRequest(name=like),
        "CreateRoute": handling_pb2.CreateRouteRequest(route=route),
        "RemoveRoute": handling_pb2.RemoveRouteRequest(name=made.name),
        "CreateReception": intakes_pb2.CreateReceptionRequest(reception=reception),
        "RevokeIntake": intakes_pb2.RevokeIntakeRequest(name=intake.name),
    }
    await repeat(office, requests, "hear")


async def test_every_mutation_of_a_proposal_is_answered_again_with_the_first_answer(office: Office) -> None:
    hearing = Hearing(office.tenant)
    mandate = await hearing.active(await hearing.term())
    first, taken_back = [(await hearing.proposal(mandate)).name for _ in range(2)]
    returned = await hearing.assigned_proposal(mandate)
    satisfied: dict[str, Any] = {"mandate": mandate, "judgement": opinions_pb2.JUDGEMENT_SATISFIED}
    answer: dict[str, Any] = {"content": "已办", "outcome": proposals_pb2.OUTCOME_CLASS_A}
    requests: dict[str, Any] = {
        "CreateProposal": proposals_pb2.CreateProposalRequest(proposal=hearing.written(mandate)),
        "WithdrawProposal": proposals_pb2.WithdrawProposalRequest(name=taken_back, reason="撤回"),
        "RegisterProposal": proposals_pb2.RegisterProposalRequest(name=first),
        "ExamineProposal": proposals_pb2.ExamineProposalRequest(name=first),
        "SuperviseProposal": proposals_pb2.SuperviseProposalRequest(name=first, supervisor="副主任"),
        "AssignProposal": proposals_pb2.AssignProposalRequest(name=first, undertakers=UNDERTAKERS),
        "ExtendProposal": proposals_pb2.ExtendProposalRequest(name=first, reason="复杂", consent="同意"),
        "CoAnswerProposal": proposals_pb2.CoAnswerProposalRequest(name=first, undertaker=POLICE, content="会办"),
        "AnswerProposal": proposals_pb2.AnswerProposalRequest(name=first, **answer),
        "JudgeProposal": proposals_pb2.JudgeProposalRequest(name=first, **satisfied),
        "ReturnProposal": proposals_pb2.ReturnProposalRequest(name=returned, reason="不属本单位"),
    }
    await repeat(office, requests, "hear")


async def repeat(office: Office, requests: dict[str, Any], service: str = "call") -> None:
    """`service` is how the office calls it: `call` the registry, `meet` meetings, `vote` ballots, `hear` feedback."""
    first, call = {}, getattr(office, service)
    for rpc, request in requests.items():
        request.request_id = str(uuid4())
        first[rpc] = await call(rpc, request)
    # After all of them: the state that each one found is gone by now.
    assert {rpc: await call(rpc, request) for rpc, request in requests.items()} == first


async def _acts(office: Office, term: str) -> dict[str, Any]:
    """Each with a source or an etag, so that a second time would be refused."""
    (mandate,) = await delegates(office, term=term)
    corrected, withdrawn = [(await record(office, mandate)).name for _ in range(2)]
    changed = entry(mandate, name=corrected, subject="改", etag='"1"')
    return {
        "RecordActivity": activities_pb2.RecordActivityRequest(activity=entry(mandate, source="meetings/1")),
        "RecordActivities": activities_pb2.RecordActivitiesRequest(activities=[entry(mandate, source="meetings/2")]),
        "CorrectActivity": activities_pb2.CorrectActivityRequest(activity=changed, update_mask=mask("subject")),
        "WithdrawActivity": activities_pb2.WithdrawActivityRequest(name=withdrawn, reason="登记有误"),
    }


async def test_one_effect_whatever_happened_in_between(office: Office) -> None:
    request = create(request_id=str(uuid4()))
    first = await office.call("CreatePerson", request)
    renamed = persons_pb2.Person(name=first.name, display_name="改名")
    await office.call("UpdatePerson", persons_pb2.UpdatePersonRequest(person=renamed, update_mask=mask("display_name")))
    assert await office.call("CreatePerson", request) == first
    assert await people(office) == 1


async def test_identical_requests_at_the_same_moment(office: Office) -> None:
    request = create(request_id=str(uuid4()))
    answers = await asyncio.gather(*(office.call("CreatePerson", request) for _ in range(6)))
    assert all(answer == answers[0] for answer in answers)
    assert await people(office) == 1


async def test_other_requests_under_the_same_id_at_the_same_moment(office: Office) -> None:
    request_id = str(uuid4())
    outcomes = await asyncio.gather(
        *(office.call("CreatePerson", create(f"王{number}", request_id)) for number in range(4)), return_exceptions=True
    )
    assert len([outcome for outcome in outcomes if not isinstance(outcome, BaseException)]) == 1
    assert await people(office) == 1


async def test_without_an_id_each_request_counts(office: Office) -> None:
    assert await office.person() != await office.person()


async def test_id_of_another_request_is_refused(office: Office) -> None:
    request_id = str(uuid4())
    await office.call("CreatePerson", create(request_id=request_id))
    assert await refused(office.call("CreatePerson", create("李四", request_id))) == REUSED
    other = create(request_id=request_id, gender=persons_pb2.GENDER_MALE)
    assert await refused(office.call("CreatePerson", other)) == REUSED
    unit = units_pb2.Unit(name=f"units/{office.district}001", display_name="街道", kind=TOWN)
    create_unit = units_pb2.CreateUnitRequest(unit=unit, request_id=request_id)
    assert await refused(office.call("CreateUnit", create_unit)) == REUSED
    assert await people(office) == 1


async def test_id_belongs_to_one_caller_in_one_district(office: Office) -> None:
    request = create(request_id=str(uuid4()))
    first = await office.call("CreatePerson", request)
    settings = office.tenant.platform.settings
    colleague = development.token(settings, "colleague", ["clerk"], office.district)
    elsewhere = development.token(settings, "tester", ["clerk"], "500102")
    names = {first.name}
    for token in (colleague, elsewhere):
        answer = await office.registry.CreatePerson(request, metadata=[("authorization", f"Bearer {token}")])
        names.add(answer.name)
    assert len(names) == 3


async def test_refused_request_may_be_sent_again(office: Office) -> None:
    """What was refused had no effect, so nothing is remembered of it."""
    request = create(request_id=str(uuid4()), residence=f"units/{office.district}001")
    assert await refused(office.call("CreatePerson", request)) == "ERROR_REASON_UNIT_NOT_FOUND"
    await office.unit(1)
    assert (await office.call("CreatePerson", request)).residence == f"units/{office.district}001"


@pytest.mark.parametrize("request_id", ["1", "not-a-uuid", NOBODY.replace("-", ""), NOBODY + "0"])
async def test_id_is_a_uuid(office: Office, request_id: str) -> None:
    assert await refused(office.call("CreatePerson", create(request_id=request_id))) == "ERROR_REASON_FIELD_INVALID"


async def test_every_mutation_of_an_agenda_is_answered_again_with_the_first_answer(office: Office) -> None:
    """Each of these would be refused, or change something, if it were done a second time."""
    names = await session(Secretariat(office.tenant))
    item = agenda_pb2.AgendaItem(meeting=names["sitting"], item_class=agenda_pb2.ITEM_CLASS_REPORT, title="报告")
    changed = agenda_pb2.AgendaItem(name=names["to_retitle"], etag='"1"')
    changed.MergeFrom(item)
    collected = deliberation_pb2.DeliberationOpinion(agenda_item=names["inquiry"], content="加快进度")
    heard = agenda_pb2.ITEM_OUTCOME_HEARD
    requests: dict[str, Any] = {
        "CreateAgendaItem": agenda_pb2.CreateAgendaItemRequest(agenda_item=item),
        "UpdateAgendaItem": agenda_pb2.UpdateAgendaItemRequest(agenda_item=changed, update_mask=mask("title")),
        "MoveAgendaItem": agenda_pb2.MoveAgendaItemRequest(name=names["to_shift"], position=4, etag='"1"'),
        "OpenAgendaItem": agenda_pb2.OpenAgendaItemRequest(name=names["to_open"]),
        "ConcludeAgendaItem": agenda_pb2.ConcludeAgendaItemRequest(name=names["to_conclude"], outcome=heard),
        "WithdrawAgendaItem": agenda_pb2.WithdrawAgendaItemRequest(name=names["to_drop"], reason="材料未备齐"),
        "CollectDeliberationOpinion": deliberation_pb2.CollectDeliberationOpinionRequest(
            deliberation_opinion=collected
        ),
        "MergeDeliberationOpinion": deliberation_pb2.MergeDeliberationOpinionRequest(
            name=names["to_merge"], into=names["opinion"]
        ),
        "HandDeliberationOpinion": deliberation_pb2.HandDeliberationOpinionRequest(
            name=names["to_hand"], undertaker="区水利局"
        ),
        "AnswerDeliberationOpinion": deliberation_pb2.AnswerDeliberationOpinionRequest(
            name=names["to_answer"], answer="已经办结"
        ),
        "JudgeDeliberationOpinion": deliberation_pb2.JudgeDeliberationOpinionRequest(
            name=names["to_judge"], judgement=agenda_pb2.SATISFACTION_DISSATISFIED
        ),
        "CloseDeliberationOpinion": deliberation_pb2.CloseDeliberationOpinionRequest(name=names["to_close_opinion"]),
    }
    await repeat(office, requests, "meet")


async def test_every_mutation_of_a_sitting_is_answered_again_with_the_first_answer(office: Office) -> None:
    """Each of these would be refused, or change something, if it were done a second time."""
    names = await session(Secretariat(office.tenant))
    longer = speakers_pb2.Speaker(name=names["to_lengthen"], minutes_allowed=9, etag='"1"')
    asked = questions_pb2.Question(asked_of="区财政局", content="资金是否到位？")
    linked = preparations_pb2.Preparation(kind=preparations_pb2.PREPARATION_KIND_OPINION, source=f"opinions/{NOBODY}")
    agreed = measures_pb2.Measure(content="更换路灯", owner="镇建设管理办", due_date=on(in_days(9)))
    requests: dict[str, Any] = {
        "EnlistSpeaker": speakers_pb2.EnlistSpeakerRequest(parent=names["inquiry"], attendee=names["present"]),
        "MoveSpeaker": speakers_pb2.MoveSpeakerRequest(name=names["to_move_up"], position=1),
        "CallSpeaker": speakers_pb2.CallSpeakerRequest(name=names["to_call"]),
        "EndSpeech": speakers_pb2.EndSpeechRequest(name=names["to_end_speech"]),
        "UpdateSpeaker": speakers_pb2.UpdateSpeakerRequest(speaker=longer, update_mask=mask("minutes_allowed")),
        "WithdrawSpeaker": speakers_pb2.WithdrawSpeakerRequest(name=names["to_take_off"]),
        "AskQuestion": questions_pb2.AskQuestionRequest(
            parent=names["inquiry"], mandate=names["present"], question=asked
        ),
        "AnswerQuestion": questions_pb2.AnswerQuestionRequest(
            name=names["question"], answer="年底前完工。", answered_by="区水利局局长"
        ),
        "AttachDocument": attachments_pb2.AttachDocumentRequest(parent=names["documented"], attachment=document()),
        "DetachDocument": attachments_pb2.DetachDocumentRequest(name=names["to_detach"]),
        "LinkPreparation": preparations_pb2.LinkPreparationRequest(parent=names["sitting"], preparation=linked),
        "UnlinkPreparation": preparations_pb2.UnlinkPreparationRequest(name=names["preparation"]),
        "SetMeasure": measures_pb2.SetMeasureRequest(parent=names["sitting"], measure=agreed),
        "CompleteMeasure": measures_pb2.CompleteMeasureRequest(name=names["measure"], report="路灯已全部更换。"),
    }
    await repeat(office, requests, "meet")
