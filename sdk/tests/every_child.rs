// Written by `cargo run -p hookswitch-sdk-generate` from spec/twiml.json; changes are lost.

//! Every child can be put into every parent that the grammar names for it.

#![allow(deprecated)]

use hookswitch_sdk::twiml::*;

/// Adds each child alone, by its own method and by the general one, and then all in a row.
macro_rules! children {
    ($parent:expr, $start:literal, $end:literal;
     $($method:ident($($argument:expr)?), $child:expr => $written:literal;)*) => {
        $(
            let expected = concat!($start, $written, $end);
            assert_eq!($parent.$method($($argument)?).to_string(), expected);
            assert_eq!($parent.child($child).to_string(), expected);
        )*
        let all = $parent$(.$method($($argument)?))*;
        assert_eq!(all.to_string(), concat!($start, $($written,)* $end));
    };
}

#[test]
fn voice_voice_response() {
    children! { Document::new(), "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>", "</Response>";
        connect(Connect::new()), Connect::new() => "<Connect/>";
        dial(Dial::new()), Dial::new() => "<Dial/>";
        echo(), Echo::new() => "<Echo/>";
        enqueue("v"), Enqueue::new("v") => "<Enqueue>v</Enqueue>";
        gather(Gather::new()), Gather::new() => "<Gather/>";
        hangup(), Hangup::new() => "<Hangup/>";
        leave(), Leave::new() => "<Leave/>";
        pause(Pause::new()), Pause::new() => "<Pause/>";
        pay(Pay::new()), Pay::new() => "<Pay/>";
        play("menu"), Play::new("menu") => "<Play>menu</Play>";
        prompt(Prompt::new()), Prompt::new() => "<Prompt/>";
        queue("v"), Queue::new("v") => "<Queue>v</Queue>";
        record(Record::new()), Record::new() => "<Record/>";
        redirect("menu"), Redirect::new("menu") => "<Redirect>menu</Redirect>";
        refer(Refer::new()), Refer::new() => "<Refer/>";
        reject(Reject::new()), Reject::new() => "<Reject/>";
        say("v"), Say::new("v") => "<Say>v</Say>";
        sms("v"), Sms::new("v") => "<Sms>v</Sms>";
        start(Start::new()), Start::new() => "<Start/>";
        stop(Stop::new()), Stop::new() => "<Stop/>";
    }
}

#[test]
fn voice_say() {
    children! { Say::new("v"), "<Say>v", "</Say>";
        break_(), ssml::Break::new() => "<break/>";
        emphasis("v"), ssml::Emphasis::new("v") => "<emphasis>v</emphasis>";
        lang("v"), ssml::Lang::new("v") => "<lang>v</lang>";
        p("v"), ssml::P::new("v") => "<p>v</p>";
        phoneme("v"), ssml::Phoneme::new("v") => "<phoneme>v</phoneme>";
        prosody("v"), ssml::Prosody::new("v") => "<prosody>v</prosody>";
        s("v"), ssml::S::new("v") => "<s>v</s>";
        say_as("v"), ssml::SayAs::new("v") => "<say-as>v</say-as>";
        sub_("v"), ssml::Sub::new("v") => "<sub>v</sub>";
        w("v"), ssml::W::new("v") => "<w>v</w>";
    }
}

#[test]
fn voice_gather() {
    children! { Gather::new(), "<Gather>", "</Gather>";
        pause(Pause::new()), Pause::new() => "<Pause/>";
        play("menu"), Play::new("menu") => "<Play>menu</Play>";
        say("v"), Say::new("v") => "<Say>v</Say>";
    }
}

#[test]
fn voice_dial() {
    children! { Dial::new(), "<Dial>", "</Dial>";
        application("v"), Application::new("v") => "<Application>v</Application>";
        client("v"), Client::new("v") => "<Client>v</Client>";
        conference("v"), Conference::new("v") => "<Conference>v</Conference>";
        number("v"), Number::new("v") => "<Number>v</Number>";
        queue("v"), Queue::new("v") => "<Queue>v</Queue>";
        sim("v"), Sim::new("v") => "<Sim>v</Sim>";
        sip("v"), Sip::new("v") => "<Sip>v</Sip>";
        whats_app("v"), WhatsApp::new("v") => "<WhatsApp>v</WhatsApp>";
    }
}

#[test]
fn voice_sip() {
    children! { Sip::new("v"), "<Sip>v", "</Sip>";
        headers(Headers::new()), Headers::new() => "<Headers/>";
        uri("v"), SipUri::new("v") => "<Uri>v</Uri>";
    }
}

#[test]
fn voice_headers() {
    children! { Headers::new(), "<Headers>", "</Headers>";
        header(Header::new()), Header::new() => "<Header/>";
    }
}

#[test]
fn voice_refer() {
    children! { Refer::new(), "<Refer>", "</Refer>";
        sip("v"), ReferSip::new("v") => "<Sip>v</Sip>";
    }
}

#[test]
fn voice_client() {
    children! { Client::new("v"), "<Client>v", "</Client>";
        identity("v"), Identity::new("v") => "<Identity>v</Identity>";
        parameter(Parameter::new()), Parameter::new() => "<Parameter/>";
    }
}

#[test]
fn voice_application() {
    children! { Application::new("v"), "<Application>v", "</Application>";
        application_sid("v"), ApplicationSid::new("v") => "<ApplicationSid>v</ApplicationSid>";
        parameter(Parameter::new()), Parameter::new() => "<Parameter/>";
    }
}

#[test]
fn voice_enqueue() {
    children! { Enqueue::new("v"), "<Enqueue>v", "</Enqueue>";
        task("v"), Task::new("v") => "<Task>v</Task>";
    }
}

#[test]
fn voice_pay() {
    children! { Pay::new(), "<Pay>", "</Pay>";
        parameter(Parameter::new()), Parameter::new() => "<Parameter/>";
        prompt(Prompt::new()), Prompt::new() => "<Prompt/>";
    }
}

#[test]
fn voice_prompt() {
    children! { Prompt::new(), "<Prompt>", "</Prompt>";
        pause(Pause::new()), Pause::new() => "<Pause/>";
        play("menu"), Play::new("menu") => "<Play>menu</Play>";
        say("v"), Say::new("v") => "<Say>v</Say>";
    }
}

#[test]
fn voice_hangup() {
    children! { Hangup::new(), "<Hangup>", "</Hangup>";
        parameter(Parameter::new()), Parameter::new() => "<Parameter/>";
    }
}

#[test]
fn voice_reject() {
    children! { Reject::new(), "<Reject>", "</Reject>";
        parameter(Parameter::new()), Parameter::new() => "<Parameter/>";
    }
}

#[test]
fn voice_connect() {
    children! { Connect::new(), "<Connect>", "</Connect>";
        ai_session(AiSession::new()), AiSession::new() => "<AiSession/>";
        autopilot("v"), Autopilot::new("v") => "<Autopilot>v</Autopilot>";
        conversation(Conversation::new()), Conversation::new() => "<Conversation/>";
        conversation_relay(ConversationRelay::new()), ConversationRelay::new() => "<ConversationRelay/>";
        conversation_relay_session(ConversationRelaySession::new()), ConversationRelaySession::new() => "<ConversationRelaySession/>";
        room("v"), Room::new("v") => "<Room>v</Room>";
        stream(Stream::new()), Stream::new() => "<Stream/>";
        virtual_agent(VirtualAgent::new()), VirtualAgent::new() => "<VirtualAgent/>";
    }
}

#[test]
fn voice_virtual_agent() {
    children! { VirtualAgent::new(), "<VirtualAgent>", "</VirtualAgent>";
        config(Config::new()), Config::new() => "<Config/>";
        parameter(Parameter::new()), Parameter::new() => "<Parameter/>";
    }
}

#[test]
fn voice_conversation_relay() {
    children! { ConversationRelay::new(), "<ConversationRelay>", "</ConversationRelay>";
        add_language(Language::new()), Language::new() => "<Language/>";
        parameter(Parameter::new()), Parameter::new() => "<Parameter/>";
    }
}

#[test]
fn voice_start() {
    children! { Start::new(), "<Start>", "</Start>";
        recording(Recording::new()), Recording::new() => "<Recording/>";
        siprec(Siprec::new()), Siprec::new() => "<Siprec/>";
        stream(Stream::new()), Stream::new() => "<Stream/>";
        transcription(Transcription::new()), Transcription::new() => "<Transcription/>";
    }
}

#[test]
fn voice_stop() {
    children! { Stop::new(), "<Stop>", "</Stop>";
        siprec(Siprec::new()), Siprec::new() => "<Siprec/>";
        stream(Stream::new()), Stream::new() => "<Stream/>";
        transcription(Transcription::new()), Transcription::new() => "<Transcription/>";
    }
}

#[test]
fn voice_stream() {
    children! { Stream::new(), "<Stream>", "</Stream>";
        parameter(Parameter::new()), Parameter::new() => "<Parameter/>";
    }
}

#[test]
fn voice_siprec() {
    children! { Siprec::new(), "<Siprec>", "</Siprec>";
        parameter(Parameter::new()), Parameter::new() => "<Parameter/>";
    }
}

#[test]
fn voice_transcription() {
    children! { Transcription::new(), "<Transcription>", "</Transcription>";
        config(Config::new()), Config::new() => "<Config/>";
        parameter(Parameter::new()), Parameter::new() => "<Parameter/>";
    }
}

#[test]
fn voice_ssml_emphasis() {
    children! { ssml::Emphasis::new("v"), "<emphasis>v", "</emphasis>";
        break_(), ssml::Break::new() => "<break/>";
        emphasis("v"), ssml::Emphasis::new("v") => "<emphasis>v</emphasis>";
        lang("v"), ssml::Lang::new("v") => "<lang>v</lang>";
        phoneme("v"), ssml::Phoneme::new("v") => "<phoneme>v</phoneme>";
        prosody("v"), ssml::Prosody::new("v") => "<prosody>v</prosody>";
        say_as("v"), ssml::SayAs::new("v") => "<say-as>v</say-as>";
        sub_("v"), ssml::Sub::new("v") => "<sub>v</sub>";
        w("v"), ssml::W::new("v") => "<w>v</w>";
    }
}

#[test]
fn voice_ssml_w() {
    children! { ssml::W::new("v"), "<w>v", "</w>";
        break_(), ssml::Break::new() => "<break/>";
        emphasis("v"), ssml::Emphasis::new("v") => "<emphasis>v</emphasis>";
        phoneme("v"), ssml::Phoneme::new("v") => "<phoneme>v</phoneme>";
        prosody("v"), ssml::Prosody::new("v") => "<prosody>v</prosody>";
        say_as("v"), ssml::SayAs::new("v") => "<say-as>v</say-as>";
        sub_("v"), ssml::Sub::new("v") => "<sub>v</sub>";
    }
}

#[test]
fn voice_ssml_p() {
    children! { ssml::P::new("v"), "<p>v", "</p>";
        break_(), ssml::Break::new() => "<break/>";
        emphasis("v"), ssml::Emphasis::new("v") => "<emphasis>v</emphasis>";
        lang("v"), ssml::Lang::new("v") => "<lang>v</lang>";
        phoneme("v"), ssml::Phoneme::new("v") => "<phoneme>v</phoneme>";
        prosody("v"), ssml::Prosody::new("v") => "<prosody>v</prosody>";
        s("v"), ssml::S::new("v") => "<s>v</s>";
        say_as("v"), ssml::SayAs::new("v") => "<say-as>v</say-as>";
        sub_("v"), ssml::Sub::new("v") => "<sub>v</sub>";
        w("v"), ssml::W::new("v") => "<w>v</w>";
    }
}

#[test]
fn voice_ssml_s() {
    children! { ssml::S::new("v"), "<s>v", "</s>";
        break_(), ssml::Break::new() => "<break/>";
        emphasis("v"), ssml::Emphasis::new("v") => "<emphasis>v</emphasis>";
        lang("v"), ssml::Lang::new("v") => "<lang>v</lang>";
        phoneme("v"), ssml::Phoneme::new("v") => "<phoneme>v</phoneme>";
        prosody("v"), ssml::Prosody::new("v") => "<prosody>v</prosody>";
        say_as("v"), ssml::SayAs::new("v") => "<say-as>v</say-as>";
        sub_("v"), ssml::Sub::new("v") => "<sub>v</sub>";
        w("v"), ssml::W::new("v") => "<w>v</w>";
    }
}

#[test]
fn voice_ssml_lang() {
    children! { ssml::Lang::new("v"), "<lang>v", "</lang>";
        break_(), ssml::Break::new() => "<break/>";
        emphasis("v"), ssml::Emphasis::new("v") => "<emphasis>v</emphasis>";
        lang("v"), ssml::Lang::new("v") => "<lang>v</lang>";
        p("v"), ssml::P::new("v") => "<p>v</p>";
        phoneme("v"), ssml::Phoneme::new("v") => "<phoneme>v</phoneme>";
        prosody("v"), ssml::Prosody::new("v") => "<prosody>v</prosody>";
        s("v"), ssml::S::new("v") => "<s>v</s>";
        say_as("v"), ssml::SayAs::new("v") => "<say-as>v</say-as>";
        sub_("v"), ssml::Sub::new("v") => "<sub>v</sub>";
        w("v"), ssml::W::new("v") => "<w>v</w>";
    }
}

#[test]
fn voice_ssml_prosody() {
    children! { ssml::Prosody::new("v"), "<prosody>v", "</prosody>";
        break_(), ssml::Break::new() => "<break/>";
        emphasis("v"), ssml::Emphasis::new("v") => "<emphasis>v</emphasis>";
        lang("v"), ssml::Lang::new("v") => "<lang>v</lang>";
        p("v"), ssml::P::new("v") => "<p>v</p>";
        phoneme("v"), ssml::Phoneme::new("v") => "<phoneme>v</phoneme>";
        prosody("v"), ssml::Prosody::new("v") => "<prosody>v</prosody>";
        s("v"), ssml::S::new("v") => "<s>v</s>";
        say_as("v"), ssml::SayAs::new("v") => "<say-as>v</say-as>";
        sub_("v"), ssml::Sub::new("v") => "<sub>v</sub>";
        w("v"), ssml::W::new("v") => "<w>v</w>";
    }
}

#[test]
fn messaging_messaging_response() {
    children! { messaging::Reply::new(), "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>", "</Response>";
        message("v"), messaging::Message::new("v") => "<Message>v</Message>";
        redirect("menu"), messaging::Redirect::new("menu") => "<Redirect>menu</Redirect>";
    }
}

#[test]
fn messaging_message() {
    children! { messaging::Message::new("v"), "<Message>v", "</Message>";
        body("v"), messaging::Body::new("v") => "<Body>v</Body>";
        media("menu"), messaging::Media::new("menu") => "<Media>menu</Media>";
    }
}

#[test]
fn fax_fax_response() {
    children! { fax::Document::new(), "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>", "</Response>";
        receive(fax::Receive::new()), fax::Receive::new() => "<Receive/>";
    }
}
